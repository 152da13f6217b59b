package stream_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

var allFrames = []struct {
	name  string
	frame script.Frame
}{
	{"text", script.Text("a")},
	{"empty text", script.Text("")},
	{"binary", script.Binary("a")},
	{"the first fragment", script.Text("a").Open()},
	{"close", script.Close(1000, "")},
	{"empty close", script.CloseEmpty()},
	{"ping", script.Ping("a")},
	{"empty ping", script.Ping("")},
	{"pong", script.Pong("a")},
	{"long binary", script.Binary(strings.Repeat("a", 70000))},
}

// "The server MUST close the connection upon receiving a frame that is not
// masked. In this case, a server MAY send a Close frame with a status code of
// 1002 (protocol error)". "A client MUST close a connection if it detects a
// masked frame. In this case, it MAY use the status code 1002".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.1
func TestSection5_1Masks(t *testing.T) {
	wrongly := map[stream.Role]func(script.Frame) script.Frame{
		stream.Client: func(f script.Frame) script.Frame { return f.Masked([4]byte{1, 2, 3, 4}) },
		stream.Server: script.Frame.Unmasked,
	}
	for _, test := range allFrames {
		for _, w := range ways {
			inBothRoles(t, "5.1", test.name+" masked wrongly/"+w.name, func(t *testing.T, s side) {
				in := inbound{sends: []script.Frame{wrongly[s.role](test.frame)}, breach: 1002}
				in.run(t, s.start(t, nil), w)
			})
		}
	}
	inBothRoles(t, "5.1", "the second frame masked wrongly", func(t *testing.T, s side) {
		in := inbound{
			sends:  []script.Frame{script.Text("a"), wrongly[s.role](script.Text("b")), script.Text("c")},
			yields: []stream.Message{text("a")}, breach: 1002,
		}
		in.run(t, s.start(t, nil), ways[0])
	})
	inBothRoles(t, "5.1", "the second fragment masked wrongly", func(t *testing.T, s side) {
		in := inbound{sends: []script.Frame{script.Text("a").Open(), wrongly[s.role](script.Last("b"))}, breach: 1002}
		in.run(t, s.start(t, nil), ways[0])
	})
	inBothRoles(t, "5.1", "a mask that changes nothing, the payload has not come", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		f := script.Text("abc").Masked([4]byte{})
		if s.role == stream.Server {
			f = f.Unmasked()
		}
		p.Sends(f.First(len(p.Bytes(f)) - len(f.Payload)))
		p.WantsClose(1002)
		app.fails(t, 1002)
	})
}

// "MUST be 0 unless an extension is negotiated that defines meanings for
// non-zero values. If a nonzero value is received and none of the negotiated
// extensions defines the meaning of such a nonzero value, the receiving
// endpoint MUST _Fail the WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
func TestSection5_2ReservedBits(t *testing.T) {
	for rsv := byte(1); rsv < 8; rsv++ {
		var cases []inbound
		for _, test := range allFrames {
			cases = append(cases, inbound{
				name:  fmt.Sprintf("RSV %03b, %s", rsv, test.name),
				sends: []script.Frame{test.frame.Reserved(rsv), script.Text("never seen")}, breach: 1002,
			})
		}
		cases = append(cases, inbound{
			name:  fmt.Sprintf("RSV %03b, the last fragment", rsv),
			sends: []script.Frame{script.Text("a").Open(), script.Last("b").Reserved(rsv)}, breach: 1002,
		}, inbound{
			name:   fmt.Sprintf("RSV %03b, after a good message", rsv),
			sends:  []script.Frame{script.Text("a"), script.Text("b").Reserved(rsv)},
			yields: []stream.Message{text("a")}, breach: 1002,
		})
		run(t, "5.2", cases)
	}
}

// "If an unknown opcode is received, the receiving endpoint MUST _Fail the
// WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
func TestSection5_2ReservedOpcodes(t *testing.T) {
	for _, op := range []byte{3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF} {
		f := script.Of(op, "a")
		run(t, "5.2", []inbound{
			{name: fmt.Sprintf("opcode %#x", op), sends: []script.Frame{f, script.Ping("")}, breach: 1002},
			{name: fmt.Sprintf("opcode %#x, empty", op), sends: []script.Frame{script.Of(op, "")}, breach: 1002},
			{name: fmt.Sprintf("opcode %#x, no FIN", op), sends: []script.Frame{f.Open()}, breach: 1002},
			{name: fmt.Sprintf("opcode %#x, 200 bytes", op), sends: []script.Frame{script.Of(op, strings.Repeat("a", 200))}, breach: 1002},
			{name: fmt.Sprintf("opcode %#x, inside a message", op), sends: []script.Frame{script.Text("a").Open(), f, script.Last("b")}, breach: 1002},
			{name: fmt.Sprintf("opcode %#x, after a message", op), sends: []script.Frame{script.Text("b"), f}, yields: []stream.Message{text("b")}, breach: 1002},
		})
	}
}

var lengths = []int{0, 1, 2, 7, 8, 9, 124, 125, 126, 127, 128, 254, 255, 256, 257, 4095, 4096, 4097, 65534, 65535, 65536, 65537, 200000}

// filler returns n bytes that differ from one another at every distance that
// matters to masking and buffering.
func filler(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8)*7 ^ byte(i)*13
	}
	return b
}

// letters returns n bytes of text.
func letters(n int) string {
	return strings.Repeat("The quick brown fox jumps over the lazy dog. ", n/45+1)[:n]
}

// Lengths of 0 to 125 stand in 7 bits, to 65535 in 16, and others in 64.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
func TestSection5_2Lengths(t *testing.T) {
	for _, n := range lengths {
		run(t, "5.2", []inbound{
			{name: fmt.Sprintf("text of %d bytes", n), sends: []script.Frame{script.Text(letters(n))}, yields: []stream.Message{text(letters(n))}},
			{
				name:   fmt.Sprintf("binary of %d bytes between others", n),
				sends:  []script.Frame{script.Text("a"), script.Binary(filler(n)), script.Text("b")},
				yields: []stream.Message{text("a"), bin(filler(n)), text("b")},
			},
		})
	}
}

// "Note that in all cases, the minimal number of bytes MUST be used to encode
// the length", and of 64 bits "the most significant bit MUST be 0".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
func TestSection5_2BadLengths(t *testing.T) {
	var cases []inbound
	for _, n := range []int{0, 1, 124, 125} {
		cases = append(cases,
			inbound{name: fmt.Sprintf("%d in 16 bits", n), sends: []script.Frame{script.Text(letters(n)).In16()}, breach: 1002},
			inbound{name: fmt.Sprintf("ping of %d in 16 bits", n), sends: []script.Frame{script.Ping(letters(n)).In16()}, breach: 1002},
			inbound{name: fmt.Sprintf("ping of %d in 64 bits", n), sends: []script.Frame{script.Ping(letters(n)).In64()}, breach: 1002})
	}
	for _, n := range []int{0, 1, 125, 126, 127, 255, 256, 65534, 65535} {
		cases = append(cases,
			inbound{name: fmt.Sprintf("%d in 64 bits", n), sends: []script.Frame{script.Binary(letters(n)).In64()}, breach: 1002},
			inbound{name: fmt.Sprintf("%d in 64 bits in a continuation", n), sends: []script.Frame{script.Binary("").Open(), script.Last(letters(n)).In64()}, breach: 1002})
	}
	for _, n := range []uint64{1 << 63, 1<<63 + 5, 1<<64 - 1, 1<<63 | 65536} {
		cases = append(cases,
			inbound{name: fmt.Sprintf("%#x", n), sends: []script.Frame{script.Binary("hello").Claiming(n)}, breach: 1002},
			inbound{name: fmt.Sprintf("%#x in a continuation", n), sends: []script.Frame{script.Binary("").Open(), script.More("hello").Claiming(n)}, breach: 1002},
			inbound{name: fmt.Sprintf("%#x in a ping", n), sends: []script.Frame{script.Ping("hello").Claiming(n)}, breach: 1002})
	}
	run(t, "5.2", cases)
}

// An outbound frame has the header that its length wants, byte for byte.
func TestSection5_2SentHeaders(t *testing.T) {
	header := func(op byte, n int) []byte {
		switch {
		case n > 0xFFFF:
			return binary.BigEndian.AppendUint64([]byte{0x80 | op, 127}, uint64(n))
		case n > 125:
			return binary.BigEndian.AppendUint16([]byte{0x80 | op, 126}, uint16(n))
		}
		return []byte{0x80 | op, byte(n)}
	}
	for _, n := range append(lengths, 1<<20) {
		for _, op := range []byte{script.OpText, script.OpBinary} {
			name := fmt.Sprintf("sending opcode %d of %d bytes", op, n)
			inBothRoles(t, "5.2", name, func(t *testing.T, s side) {
				p := s.start(t, &stream.Options{FragmentSize: -1})
				m := stream.Message{Type: stream.Type(op), Data: []byte(letters(n))}
				if err := p.Conn.Send(ctx, m); err != nil {
					t.Fatal(err)
				}
				f := p.Next(name)
				want := header(op, n)
				if s.role == stream.Client {
					want[1] |= 0x80
				}
				if string(f.Header) != string(want) {
					t.Errorf("header [% x], want [% x]", f.Header, want)
				}
				if string(f.Payload) != letters(n) {
					t.Errorf("the payload came as %.60q", f.Payload)
				}
			})
		}
	}
}

// A frame that is cut short is no message, wherever the cut is.
func TestSection5_2Truncated(t *testing.T) {
	frames := []struct {
		name  string
		frame script.Frame
	}{
		{"text of 3 bytes", script.Text("abc")},
		{"binary of 130 bytes", script.Binary(letters(130))},
		{"binary of 65536 bytes", script.Binary(letters(65536)).First(20)},
		{"the first fragment", script.Text("abc").Open()},
		{"ping", script.Ping("abc")},
		{"close", script.Close(1000, "bye")},
	}
	for _, test := range frames {
		inBothRoles(t, "5.2", "cut inside "+test.name, func(t *testing.T, s side) {
			probe := script.Start(t, s.role, nil, nil)
			whole := len(probe.Bytes(test.frame))
			for n := 1; n < min(whole, 20); n++ {
				p := s.start(t, nil)
				app := takeAll(p.Conn)
				p.Sends(script.Text("before"), test.frame.First(n))
				p.Cuts()
				within(t, "the end", app.done)
				isFailed(t, app.err, io.EOF, io.ErrUnexpectedEOF)
				sameMessages(t, app.messages, []stream.Message{text("before")})
				p.End()
			}
		})
	}
}

// A frame of 2^63-1 bytes is legal, has no end, and is streamed; what is read
// ahead of it is payload, whatever it looks like.
func TestSection5_2LongestFrame(t *testing.T) {
	inBothRoles(t, "5.2", "the longest frame", func(t *testing.T, s side) {
		p := s.start(t, nil)
		resume := p.Conn.Pause()
		frame := script.Binary(strings.Repeat("\xFF", 5000)).Claiming(1<<63 - 1)
		p.Sends(frame)
		time.Sleep(time.Minute)
		resume()
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if n, err := io.ReadFull(r, make([]byte, 5000)); err != nil {
				t.Fatalf("%d bytes came: %v", n, err)
			}
			p.SendsRaw([]byte(strings.Repeat("\xFF", 5000)))
			time.Sleep(time.Minute) // the consumer is away
		}
		if status, over := p.Conn.Result().Status(); over {
			t.Errorf("the connection ended with %v", status.Err)
		}
	})
}
