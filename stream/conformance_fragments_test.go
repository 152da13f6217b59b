package stream_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// "A fragmented message consists of a single frame with the FIN bit clear and
// an opcode other than 0, followed by zero or more frames with the FIN bit
// clear and the opcode set to 0, and terminated by a single frame with the FIN
// bit set and an opcode of 0."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.4
func TestSection5_4Fragments(t *testing.T) {
	run(t, "5.4", []inbound{
		{name: "two", sends: []script.Frame{script.Text("ab").Open(), script.Last("cd")}, yields: []stream.Message{text("abcd")}},
		{name: "three", sends: []script.Frame{script.Binary("ab").Open(), script.More("cd"), script.Last("ef")}, yields: []stream.Message{bin("abcdef")}},
		{name: "the first empty", sends: []script.Frame{script.Text("").Open(), script.Last("cd")}, yields: []stream.Message{text("cd")}},
		{name: "the last empty", sends: []script.Frame{script.Text("ab").Open(), script.Last("")}, yields: []stream.Message{text("ab")}},
		{name: "the middle empty", sends: []script.Frame{script.Text("ab").Open(), script.More(""), script.More(""), script.Last("cd")}, yields: []stream.Message{text("abcd")}},
		{name: "all empty", sends: []script.Frame{script.Text("").Open(), script.More(""), script.Last("")}, yields: []stream.Message{text("")}},
		{name: "a hundred of a byte", sends: split(script.Text(letters(100)), 1), yields: []stream.Message{text(letters(100))}},
		{name: "of many lengths", sends: []script.Frame{script.Binary(filler(65536)).Open(), script.More(filler(125)), script.More(filler(126)), script.Last(filler(70000))},
			yields: []stream.Message{bin(string(filler(65536)) + string(filler(125)) + string(filler(126)) + string(filler(70000)))}},
		{name: "two messages", sends: []script.Frame{script.Text("a").Open(), script.Last("b"), script.Binary("c").Open(), script.Last("d")}, yields: []stream.Message{text("ab"), bin("cd")}},
		{name: "a whole message after", sends: []script.Frame{script.Text("a").Open(), script.Last("b"), script.Text("c")}, yields: []stream.Message{text("ab"), text("c")}},
	})
}

// split returns the message in frames of n bytes.
func split(f script.Frame, n int) (frames []script.Frame) {
	for b := f.Payload; ; f = script.Last("") {
		if len(b) <= n {
			f.Payload = b
			return append(frames, f)
		}
		f.Payload, b = b[:n], b[n:]
		frames = append(frames, f.Open())
	}
}

// "Control frames MAY be injected in the middle of a fragmented message."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.4
func TestSection5_4ControlBetween(t *testing.T) {
	first, last := script.Text("ab").Open(), script.Last("cd")
	whole := []stream.Message{text("abcd")}
	run(t, "5.4", []inbound{
		{name: "a ping between", sends: []script.Frame{first, script.Ping("p"), last}, yields: whole, pongs: []string{"p"}},
		{name: "an empty ping between", sends: []script.Frame{first, script.Ping(""), last}, yields: whole, pongs: []string{""}},
		{name: "a pong between", sends: []script.Frame{first, script.Pong("p"), last}, yields: whole},
		{name: "many between", sends: []script.Frame{first, script.Ping("1"), script.Pong("x"), script.Ping("2"), script.More(""), script.Ping("3"), last, script.Ping("4")},
			yields: whole, pongs: []string{"1", "2", "3", "4"}},
		{name: "a long ping between", sends: []script.Frame{first, script.Ping(letters(125)), last}, yields: whole, pongs: []string{letters(125)}},
		{name: "a bad frame between", sends: []script.Frame{first, script.Ping("1"), script.Ping(letters(126)), last}, pongs: []string{"1"}, breach: 1002},
	})
	inBothRoles(t, "5.4", "a ping is answered before the message ends", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Sends(first, script.Ping("now"))
		p.Wants("a pong while the message is open", script.Pong("now"))
	})
	inBothRoles(t, "5.4", "a close between", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Text("whole"), first, script.Close(1000, "enough"))
		p.WantsClose(1000)
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text("whole")})
	})
}

// "The fragments of one message MUST NOT be interleaved between the fragments
// of another message", and a continuation needs something to continue.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.4
func TestSection5_4Errors(t *testing.T) {
	run(t, "5.4", []inbound{
		{name: "a continuation first", sends: []script.Frame{script.Last("a")}, breach: 1002},
		{name: "an empty continuation first", sends: []script.Frame{script.Last("")}, breach: 1002},
		{name: "an open continuation first", sends: []script.Frame{script.More("a"), script.Last("b")}, breach: 1002},
		{name: "a continuation after a message", sends: []script.Frame{script.Text("a"), script.Last("b")}, yields: []stream.Message{text("a")}, breach: 1002},
		{name: "a continuation after an empty message", sends: []script.Frame{script.Text(""), script.Last("b")}, yields: []stream.Message{text("")}, breach: 1002},
		{name: "a continuation after the last", sends: []script.Frame{script.Text("a").Open(), script.Last("b"), script.Last("c")}, yields: []stream.Message{text("ab")}, breach: 1002},
		{name: "a continuation after a ping", sends: []script.Frame{script.Ping("a"), script.Last("b")}, pongs: []string{"a"}, breach: 1002},
		{name: "text in a text", sends: []script.Frame{script.Text("a").Open(), script.Text("b")}, breach: 1002},
		{name: "binary in a text", sends: []script.Frame{script.Text("a").Open(), script.Binary("b")}, breach: 1002},
		{name: "text in a binary", sends: []script.Frame{script.Binary("a").Open(), script.Text("b")}, breach: 1002},
		{name: "an open text in a text", sends: []script.Frame{script.Text("a").Open(), script.Text("b").Open(), script.Last("c")}, breach: 1002},
		{name: "text in an empty text", sends: []script.Frame{script.Text("").Open(), script.Text("b")}, breach: 1002},
		{name: "text after a middle fragment", sends: []script.Frame{script.Text("a").Open(), script.More("b"), script.Text("c")}, breach: 1002},
		{name: "text after a ping between", sends: []script.Frame{script.Text("a").Open(), script.Ping("p"), script.Text("c")}, pongs: []string{"p"}, breach: 1002},
		{name: "text in the second message", sends: []script.Frame{script.Text("a").Open(), script.Last("b"), script.Text("c").Open(), script.Text("d")}, yields: []stream.Message{text("ab")}, breach: 1002},
	})
}

// What a connection sends in fragments keeps to the same rules; the script
// sees to most of them for every frame.
func TestSection5_4Sent(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 19, 20, 21, 30, 95} {
		inBothRoles(t, "5.4", fmt.Sprintf("sending %d bytes in fragments of 10", n), func(t *testing.T, s side) {
			p := s.start(t, &stream.Options{FragmentSize: 10})
			if err := p.Conn.SendText(ctx, letters(n)); err != nil {
				t.Fatal(err)
			}
			for _, want := range split(script.Text(letters(n)), 10) {
				p.Wants("the message", want)
			}
			isOpenInFragments(t, p)
		})
	}
	writes := map[string][]string{
		"nothing": nil, "an empty part": {""}, "one part": {"a"}, "three parts": {"ab", "", "cd"},
		"a rune in parts": {"\xf0", "\x9f\x8e", "\x89!"}, "large parts": {letters(100000), letters(70001)},
	}
	for name, parts := range writes {
		inBothRoles(t, "5.4", "a Writer of "+name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			for range 2 {
				if err := write(p.Conn, stream.Text, parts...); err != nil {
					t.Fatal(err)
				}
				p.WantsMessage(name, script.Text(strings.Join(parts, "")))
			}
		})
	}
}

func isOpenInFragments(t *testing.T, p *script.Peer) {
	t.Helper()
	if err := p.Conn.SendBinary(ctx, []byte("then")); err != nil {
		t.Fatal(err)
	}
	p.Wants("the next message", script.Binary("then"))
}

// Messages of many goroutines are not interleaved, in fragments or whole.
func TestSection5_4SentByMany(t *testing.T) {
	inBothRoles(t, "5.4", "messages of 8 goroutines", func(t *testing.T, s side) {
		p := s.start(t, &stream.Options{FragmentSize: 16})
		const many, each = 8, 25
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				for j := range each {
					whole := fmt.Sprintf("%d/%d:%s", i, j, letters(100))
					var err error
					if j%2 == 0 {
						err = p.Conn.SendText(ctx, whole)
					} else {
						err = write(p.Conn, stream.Text, whole[:40], whole[40:])
					}
					if err != nil {
						t.Errorf("%d/%d: %v", i, j, err)
					}
				}
			})
		}
		next := [many]int{}
		for range many * each {
			f := p.Next("a message")
			for !f.Fin {
				more := p.Next("a fragment")
				f.Payload, f.Fin = append(f.Payload, more.Payload...), more.Fin
			}
			var i, j int
			if n, err := fmt.Sscanf(string(f.Payload), "%d/%d:", &i, &j); n != 2 || next[i] != j || !strings.HasSuffix(string(f.Payload), ":"+letters(100)) {
				t.Fatalf("came %v (%v), not message %v", f, err, next)
			}
			next[i]++
		}
		wg.Wait()
	})
}

// A control frame need not wait for the end of a large message: it goes
// between the fragments.
func TestSection5_4SentControlBetween(t *testing.T) {
	inBothRoles(t, "5.4", "a pong inside a large message", func(t *testing.T, s side) {
		p := s.start(t, &stream.Options{FragmentSize: 64 << 10})
		takeAll(p.Conn)
		p.StopsReading()
		sent := make(chan error, 1)
		go func() { sent <- p.Conn.SendBinary(ctx, filler(8<<20)) }()
		synctest.Wait()
		p.Sends(script.Ping("in between"))
		synctest.Wait()
		p.ReadsOn()
		pong := false
		for f := p.Next("the first fragment"); !f.Fin || f.Opcode == script.OpPong; f = p.Next("a fragment") {
			pong = pong || f.Opcode == script.OpPong
		}
		if !pong {
			t.Error("the Pong came after the whole message")
		}
		if err := within(t, "SendBinary", sent); err != nil {
			t.Error(err)
		}
	})
}
