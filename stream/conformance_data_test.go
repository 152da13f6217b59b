package stream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// "The "Payload data" is text data encoded as UTF-8", or "arbitrary binary data
// whose interpretation is solely up to the application layer."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.6
func TestSection5_6Data(t *testing.T) {
	var every strings.Builder
	for r := range rune(0x11000) {
		if r < 0xD800 || r > 0xDFFF {
			every.WriteRune(r)
		}
	}
	all := string(filler(256))
	run(t, "5.6", []inbound{
		{name: "empty text", sends: []script.Frame{script.Text("")}, yields: []stream.Message{text("")}},
		{name: "empty binary", sends: []script.Frame{script.Binary("")}, yields: []stream.Message{bin("")}},
		{name: "NUL in text", sends: []script.Frame{script.Text("\x00a\x00")}, yields: []stream.Message{text("\x00a\x00")}},
		{name: "every character to U+11000", sends: []script.Frame{script.Text(every.String())}, yields: []stream.Message{text(every.String())}},
		{name: "every octet in binary", sends: []script.Frame{script.Binary(all)}, yields: []stream.Message{bin(all)}},
		{name: "half a rune in each binary fragment", sends: []script.Frame{script.Binary("\xce").Open(), script.More("\xff"), script.Last("\xba")}, yields: []stream.Message{bin("\xce\xff\xba")}},
		{name: "types in turn", sends: []script.Frame{script.Text("a"), script.Binary("b"), script.Text(""), script.Binary("")},
			yields: []stream.Message{text("a"), bin("b"), text(""), bin("")}},
		{name: "a thousand messages", sends: manyFrames(1000), yields: manyMessages(1000)},
	})
}

func manyFrames(n int) (frames []script.Frame) {
	for i := range n {
		frames = append(frames, script.Of(byte(1+i%2), fmt.Sprint("message ", i)))
	}
	return frames
}

func manyMessages(n int) (messages []stream.Message) {
	for i := range n {
		messages = append(messages, stream.Message{Type: stream.Type(1 + i%2), Data: []byte(fmt.Sprint("message ", i))})
	}
	return messages
}

// The examples, byte for byte.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.7
func TestSection5_7Examples(t *testing.T) {
	long := string(filler(65536))
	toClient := []struct{ name, bytes, want string }{
		{"a single-frame unmasked text message", "\x81\x05\x48\x65\x6c\x6c\x6f", "text Hello"},
		{"a fragmented unmasked text message", "\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f", "text Hello"},
		{"256 bytes binary message in a single unmasked frame", "\x82\x7E\x01\x00" + long[:256], "binary " + long[:256]},
		{"64KiB binary message in a single unmasked frame", "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00" + long, "binary " + long},
	}
	for _, test := range toClient {
		rule(t, "5.7", test.name, func(t *testing.T) {
			example(t, script.Client(t, nil), test.bytes, test.want)
		})
	}
	rule(t, "5.7", "a single-frame masked text message", func(t *testing.T) {
		example(t, script.Server(t, nil), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "text Hello")
	})
	rule(t, "5.7", "unmasked Ping request", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		p.SendsRaw([]byte("\x89\x05\x48\x65\x6c\x6c\x6f"))
		p.Wants("the Ping response", script.Pong("Hello"))
	})
	rule(t, "5.7", "masked Ping response", func(t *testing.T) {
		p := script.Server(t, nil)
		app := takeAll(p.Conn)
		p.SendsRaw([]byte("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"))
		p.Sends(script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
	})
}

func example(t *testing.T, p *script.Peer, bytes, want string) {
	t.Helper()
	app := takeAll(p.Conn)
	p.SendsRaw([]byte(bytes))
	p.Sends(script.Close(1000, ""))
	p.WantsClose(1000)
	app.ends(t, nil)
	if len(app.messages) != 1 || app.messages[0].Type.String()+" "+string(app.messages[0].Data) != want {
		t.Errorf("came %d messages, want %.40q", len(app.messages), want)
	}
}

// An owner is an operator that owns reserved bits and clears them.
type owner struct {
	rsv  byte
	seen *[]stream.Frame
}

func (o owner) Attach(*stream.Link) (stream.Hooks, error) {
	in := func(f stream.Frame) (stream.Frame, bool, error) {
		if f.Type == 0 {
			return stream.Frame{}, false, nil
		}
		*o.seen = append(*o.seen, f)
		f.RSV &^= o.rsv
		return f, false, nil
	}
	return stream.Hooks{In: in, RSV: o.rsv}, nil
}

// "Reserved bits can be allocated for per-frame needs": an operator's own bits
// pass on the first frame of a message, all others still fail.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.8
func TestSection5_8Extensibility(t *testing.T) {
	for rsv := byte(1); rsv < 8; rsv++ {
		for owned := byte(1); owned < 8; owned <<= 1 {
			inBothRoles(t, "5.8", fmt.Sprintf("RSV %03b, owned %03b", rsv, owned), func(t *testing.T, s side) {
				var seen []stream.Frame
				in := inbound{sends: []script.Frame{script.Text("a"), script.Text("b").Reserved(rsv)}, yields: []stream.Message{text("a"), text("b")}}
				if rsv&^owned != 0 {
					in.breach, in.yields = 1002, in.yields[:1]
				}
				in.run(t, s.start(t, &stream.Options{Operators: []stream.Operator{owner{owned, &seen}}}), ways[0])
				if in.breach == 0 && (len(seen) == 0 || seen[0].RSV != rsv) {
					t.Errorf("the operator saw %v", seen)
				}
			})
		}
		inBothRoles(t, "5.8", fmt.Sprintf("RSV %03b, all owned, on a ping", rsv), func(t *testing.T, s side) {
			in := inbound{sends: []script.Frame{script.Ping("").Reserved(rsv)}, breach: 1002}
			in.run(t, s.start(t, &stream.Options{Operators: []stream.Operator{owner{7, new([]stream.Frame)}}}), ways[0])
		})
		inBothRoles(t, "5.8", fmt.Sprintf("RSV %03b, all owned, on a continuation", rsv), func(t *testing.T, s side) {
			in := inbound{sends: []script.Frame{script.Text("a").Open(), script.Last("b").Reserved(rsv)}, breach: 1002}
			in.run(t, s.start(t, &stream.Options{Operators: []stream.Operator{owner{7, new([]stream.Frame)}}}), ways[0])
		})
	}
	inBothRoles(t, "5.8", "a bit that the operator leaves set", func(t *testing.T, s side) {
		in := inbound{sends: []script.Frame{script.Text("a").Reserved(4)}, breach: 1002}
		in.run(t, s.start(t, &stream.Options{Operators: []stream.Operator{lazy{}}}), ways[0])
	})
}

// A lazy operator owns RSV1 and hands on what it gets.
type lazy struct{}

func (lazy) Attach(*stream.Link) (stream.Hooks, error) {
	return stream.Hooks{RSV: 4, In: func(f stream.Frame) (stream.Frame, bool, error) { return f, false, nil }}, nil
}

// "The endpoint MUST ensure the WebSocket connection is in the OPEN state"; "If
// at any point the state of the WebSocket connection changes, the endpoint MUST
// abort the following steps."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-6.1
func TestSection6_1Sending(t *testing.T) {
	states := []struct {
		name  string
		enter func(t *testing.T, p *script.Peer)
	}{
		{"after our close", func(t *testing.T, p *script.Peer) {
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
		}},
		{"after the peer's close", func(t *testing.T, p *script.Peer) {
			p.Sends(script.Close(1000, ""))
			p.WantsClose(1000)
		}},
		{"after both closes", func(t *testing.T, p *script.Peer) {
			p.Conn.Close(1000, "")
			p.WantsClose(1000)
			p.Sends(script.Close(1000, ""))
			status(t, p.Conn)
		}},
		{"after a breach", func(t *testing.T, p *script.Peer) {
			p.Sends(script.Last(""))
			p.WantsClose(1002)
			status(t, p.Conn)
		}},
		{"after a cut", func(t *testing.T, p *script.Peer) {
			p.Cuts()
			status(t, p.Conn)
		}},
		{"after CloseNow", func(t *testing.T, p *script.Peer) {
			p.Conn.CloseNow(errTest)
			status(t, p.Conn)
		}},
	}
	sends := []struct {
		name string
		send func(c *stream.Conn) error
	}{
		{"Send", func(c *stream.Conn) error { return c.Send(ctx, text("late")) }},
		{"SendText", func(c *stream.Conn) error { return c.SendText(ctx, "late") }},
		{"SendBinary", func(c *stream.Conn) error { return c.SendBinary(ctx, []byte("late")) }},
		{"Writer", func(c *stream.Conn) error { return write(c, stream.Text, "late") }},
	}
	for _, state := range states {
		for _, send := range sends {
			inBothRoles(t, "6.1", send.name+" "+state.name, func(t *testing.T, s side) {
				p := s.start(t, nil)
				takeAll(p.Conn)
				state.enter(t, p)
				if err := send.send(p.Conn); err == nil {
					t.Errorf("%s %s gave no error", send.name, state.name)
				}
				synctest.Wait() // the script sees to it that nothing follows the Close
			})
		}
	}
}

// The data that is sent is valid for its type, or is not sent.
func TestSection6_1BadArguments(t *testing.T) {
	bad := []struct {
		name string
		send func(c *stream.Conn) error
	}{
		{"text that is not UTF-8", func(c *stream.Conn) error { return c.SendText(ctx, "a\xff") }},
		{"half a rune", func(c *stream.Conn) error { return c.SendText(ctx, "a\xe2\x82") }},
		{"a text message that is not UTF-8", func(c *stream.Conn) error { return c.Send(ctx, text("\xed\xa0\x80")) }},
		{"a message without a type", func(c *stream.Conn) error { return c.Send(ctx, stream.Message{Data: []byte("a")}) }},
		{"a ping for a message", func(c *stream.Conn) error { return c.Send(ctx, stream.Message{Type: stream.Ping}) }},
		{"a close for a message", func(c *stream.Conn) error { return c.Send(ctx, stream.Message{Type: stream.Close}) }},
		{"a type beyond 4 bits", func(c *stream.Conn) error { return c.Send(ctx, stream.Message{Type: 0x11}) }},
		{"a Writer of pings", func(c *stream.Conn) error { _, err := c.Writer(ctx, stream.Ping); return err }},
		{"a Writer of no type", func(c *stream.Conn) error { _, err := c.Writer(ctx, 0); return err }},
	}
	for _, test := range bad {
		inBothRoles(t, "6.1", "sending "+test.name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			takeAll(p.Conn)
			isArgument(t, test.send(p.Conn))
			isOpen(t, p)
		})
	}
	inBothRoles(t, "6.1", "a Writer's text that is not UTF-8", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		if write(p.Conn, stream.Text, letters(300000), "\xff", "never") == nil {
			t.Error("a Writer took text that is not UTF-8")
		}
		synctest.Wait() // the script sees to it that no such message was sent
	})
	inBothRoles(t, "6.1", "a context that has ended", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		over, cancel := context.WithCancelCause(ctx)
		cancel(errTest)
		p.StopsReading()
		var err error
		for range 10000 { // nothing is read: at some point a send must wait
			if err = p.Conn.SendBinary(over, filler(1<<16)); err != nil {
				break
			}
		}
		if !errors.Is(err, errTest) {
			t.Errorf("Send with an ended context: %v, want its cause", err)
		}
	})
}

// "If the frame is part of a fragmented message, the "Application data" of the
// subsequent data frames is concatenated to form the /data/." And then:
// "Subsequent data frames MUST be interpreted as belonging to a new WebSocket
// message."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-6.2
func TestSection6_2Receiving(t *testing.T) {
	all := letters(300)
	var fragments []inbound
	for _, n := range []int{1, 2, 3, 7, 64, 125, 126, 150, 299, 300} {
		fragments = append(fragments, inbound{
			name:  fmt.Sprintf("a message of 300 bytes in fragments of %d", n),
			sends: append(split(script.Text(all), n), script.Binary("next")), yields: []stream.Message{text(all), bin("next")},
		})
	}
	run(t, "6.2", fragments)
	inBothRoles(t, "6.2", "a read of no bytes", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.SendsRaw(nil)
		p.Sends(script.Text("a").First(1))
		p.SendsRaw(nil)
		p.Sends(script.Text("a").Rest(1))
		p.SendsRaw(nil)
		p.Sends(script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text("a")})
	})
	inBothRoles(t, "6.2", "bytes that came with the opening handshake", func(t *testing.T, s side) {
		probe := s.start(t, nil)
		early := probe.Bytes(script.Text("early"), script.Ping("p"), script.Text("ear").Open(), script.Last("lier").First(3))
		p := s.start(t, &stream.Options{Buffered: early})
		app := takeAll(p.Conn)
		p.Wants("the pong", script.Pong("p"))
		p.Sends(script.Last("lier").Rest(3))
		p.Sends(script.Text("late"), script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text("early"), text("earlier"), text("late")})
	})
	inBothRoles(t, "6.2", "everything came with the opening handshake", func(t *testing.T, s side) {
		probe := s.start(t, nil)
		p := s.start(t, &stream.Options{Buffered: probe.Bytes(script.Text("all"), script.Close(1000, "bye"))})
		app := takeAll(p.Conn)
		p.WantsClose(1000)
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text("all")})
		if got := status(t, p.Conn); got.Reason != "bye" {
			t.Errorf("the status is %v", got)
		}
	})
}
