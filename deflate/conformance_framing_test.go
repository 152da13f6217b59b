package deflate

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// hello is "Hello", compressed.
const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"

// "A message with the "Per-Message Compressed" bit set on the first fragment of
// the message is called a "compressed message"." One without it is called an
// "uncompressed message", and both may come on one connection.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6
func TestSection6Messages(t *testing.T) {
	first, last := packed(script.Text(hello[:3]).Open()), script.Last(hello[3:])
	run(t, "6", []inbound{
		{name: "a compressed text", sends: []script.Frame{packed(script.Text(hello))}, yields: []stream.Message{text("Hello")}},
		{name: "a compressed binary", sends: []script.Frame{packed(script.Binary(hello))}, yields: []stream.Message{bin("Hello")}},
		{name: "an uncompressed message", sends: []script.Frame{script.Binary(hello)}, yields: []stream.Message{bin(hello)}},
		{name: "both in turn", sends: []script.Frame{script.Text("a"), packed(script.Text(hello)), script.Text("b"), packed(script.Binary(hello)), script.Text("")},
			yields: []stream.Message{text("a"), text("Hello"), text("b"), bin("Hello"), text("")}},
		{name: "a compressed message in fragments", sends: []script.Frame{first, last}, yields: []stream.Message{text("Hello")}},
		{name: "an uncompressed message in fragments", sends: []script.Frame{script.Text("ab").Open(), script.Last("cd")}, yields: []stream.Message{text("abcd")}},
		{name: "both in fragments", sends: []script.Frame{first, last, script.Text("ab").Open(), script.Last("cd"), first, last},
			yields: []stream.Message{text("Hello"), text("abcd"), text("Hello")}},
		{name: "control frames between fragments", sends: []script.Frame{first, script.Ping("1"), script.Pong("x"), script.Ping("2"), last, script.Ping("3")},
			pongs: []string{"1", "2", "3"}, yields: []stream.Message{text("Hello")}},
	})
	inBothRoles(t, "6", "a ping between fragments is answered before the message ends", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, nil)
		app := takeAll(p.Conn)
		p.Sends(first, script.Ping("now"))
		p.Wants("a Pong while the message is open", script.Pong("now"))
		p.Sends(last, script.Close(1000, ""))
		p.WantsClose(1000)
		app.got(t, text("Hello"))
	})
}

// "An endpoint MUST NOT set the "Per-Message Compressed" bit of control frames
// and non-first fragments of a data message. An endpoint receiving such a frame
// MUST _Fail the WebSocket Connection_." The other reserved bits have no meaning.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6
func TestSection6BitElsewhere(t *testing.T) {
	first, last := packed(script.Text(hello[:3]).Open()), script.Last(hello[3:])
	plain := script.Text("ab").Open()
	cases := []inbound{
		{name: "RSV1 on the last fragment of a compressed message", sends: []script.Frame{first, packed(last)}, breach: 1002},
		{name: "RSV1 on the last fragment of an uncompressed message", sends: []script.Frame{plain, packed(last)}, breach: 1002},
		{name: "RSV1 on a middle fragment of a compressed message", sends: []script.Frame{first, packed(script.More(hello[3:5])), script.Last(hello[5:])}, breach: 1002},
		{name: "RSV1 on a middle fragment of an uncompressed message", sends: []script.Frame{plain, packed(script.More("cd")), script.Last("ef")}, breach: 1002},
		{name: "RSV1 on an empty last fragment", sends: []script.Frame{first, script.More(hello[3:]), packed(script.Last(""))}, breach: 1002},
		{name: "RSV1 on the second fragment alone, in a second message", sends: []script.Frame{packed(script.Text(hello)), plain, packed(last)},
			yields: []stream.Message{text("Hello")}, breach: 1002},
		{name: "RSV1 on a continuation of nothing", sends: []script.Frame{packed(script.Last(hello))}, breach: 1002},
	}
	for name, f := range map[string]script.Frame{"a ping": script.Ping("a"), "a pong": script.Pong("a"), "a close": script.Close(1000, ""), "an empty ping": script.Ping("")} {
		cases = append(cases,
			inbound{name: "RSV1 on " + name, sends: []script.Frame{packed(f)}, breach: 1002},
			inbound{name: "RSV1 on " + name + " after a message", sends: []script.Frame{packed(script.Text(hello)), packed(f)}, yields: []stream.Message{text("Hello")}, breach: 1002},
			inbound{name: "RSV1 on " + name + " between fragments", sends: []script.Frame{first, packed(f), last}, breach: 1002})
	}
	for rsv := byte(1); rsv < 8; rsv++ {
		if rsv != rsv1 {
			cases = append(cases, inbound{name: fmt.Sprintf("RSV %03b", rsv), sends: []script.Frame{script.Text(hello).Reserved(rsv)}, breach: 1002})
		}
	}
	run(t, "6", cases)
}

// What a connection sends keeps to the same rules, and "PMCEs do not change the
// opcode field".
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6
func TestSection6Sent(t *testing.T) {
	m := corpus("records", 20_000, 1)[0]
	for _, opcode := range []byte{script.OpText, script.OpBinary} {
		for _, size := range []int{7, 1000, 5000, -1} {
			for _, w := range ways {
				name := fmt.Sprintf("%s of opcode %d in fragments of %d", w.name, opcode, size)
				inBothRoles(t, "6", name, func(t *testing.T, s side) {
					p := s.start(t, defaults, Options{}, &stream.Options{FragmentSize: size})
					if err := w.send(p.Conn, stream.Message{Type: stream.Type(opcode), Data: m}); err != nil {
						t.Fatal(err)
					}
					got := nextMessage(t, p)
					if got.opcode != opcode || !got.compressed || size > 0 && got.frames < len(got.payload)/size {
						t.Errorf("came opcode %d, compressed is %t, in %d frames", got.opcode, got.compressed, got.frames)
					}
					if plain := (&judge{bits: 15}).inflate(t, got.payload); string(plain) != string(m) {
						t.Errorf("the %d bytes came out as %d", len(m), len(plain))
					}
				})
			}
		}
	}
	inBothRoles(t, "6", "a pong between the fragments of a compressed message", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, nil)
		takeAll(p.Conn)
		w, err := p.Conn.Writer(context.Background(), stream.Text)
		if err != nil {
			t.Fatal(err)
		}
		fragments := 0
		for range 3 {
			w.Write([]byte(strings.Repeat("a", 20_000)))
			synctest.Wait() // its fragments are out
			p.Sends(script.Ping("p"))
			f := p.Next("a fragment or a Pong")
			for ; f.Opcode != script.OpPong; f = p.Next("a fragment or a Pong") {
				if first := fragments == 0; f.Fin || (f.RSV == rsv1) != first || (f.Opcode == script.OpText) != first {
					t.Fatalf("fragment %d is %v", fragments, f)
				}
				fragments++
			}
			if f.RSV != 0 {
				t.Fatalf("RSV1 stands on a Pong: %v", f)
			}
		}
		if err := w.Close(); err != nil || fragments < 3 {
			t.Fatalf("%d fragments, %v", fragments, err)
		}
	})
}
