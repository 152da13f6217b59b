package stream_test

import (
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A hand is an operator that hands its Link to the test.
type hand struct{ link *stream.Link }

func (h *hand) Attach(l *stream.Link) (stream.Hooks, error) {
	h.link = l
	return stream.Hooks{}, nil
}

// sendKinds are the ways in which a connection comes to send a frame.
var sendKinds = []struct {
	name string
	send func(p *script.Peer, l *stream.Link) error
	want script.Frame
}{
	{"text", func(p *script.Peer, _ *stream.Link) error { return p.Conn.SendText(ctx, "abcde") }, script.Text("abcde")},
	{"binary", func(p *script.Peer, _ *stream.Link) error { return p.Conn.SendBinary(ctx, []byte("abcde")) }, script.Binary("abcde")},
	{"empty text", func(p *script.Peer, _ *stream.Link) error { return p.Conn.SendText(ctx, "") }, script.Text("")},
	{"Sink", func(p *script.Peer, _ *stream.Link) error {
		sink := p.Conn.Sink(ctx, nil)
		defer close(sink)
		sink <- text("abcde")
		return nil
	}, script.Text("abcde")},
	{"Writer", func(p *script.Peer, _ *stream.Link) error { return write(p.Conn, stream.Text, "abcde") }, script.Text("abcde")},
	{"ping", func(_ *script.Peer, l *stream.Link) error { return l.Control(stream.Ping, []byte("abcde")) }, script.Ping("abcde")},
	{"unasked pong", func(_ *script.Peer, l *stream.Link) error { return l.Control(stream.Pong, []byte("abcde")) }, script.Pong("abcde")},
	{"pong", func(p *script.Peer, _ *stream.Link) error { p.Sends(script.Ping("abcde")); return nil }, script.Pong("abcde")},
	{"close", func(p *script.Peer, _ *stream.Link) error { return p.Conn.Close(1000, "bye") }, script.Close(1000, "bye")},
	{"empty close", func(p *script.Peer, _ *stream.Link) error { return p.Conn.Close(1005, "") }, script.CloseEmpty()},
	{"answer to a close", func(p *script.Peer, _ *stream.Link) error { p.Sends(script.Close(1000, "")); return nil }, script.Close(1000, "")},
}

// write writes a message in the given parts.
func write(c *stream.Conn, t stream.Type, parts ...string) error {
	w, err := c.Writer(ctx, t)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := w.Write([]byte(part)); err != nil {
			return err
		}
	}
	return w.Close()
}

// "a client MUST mask all frames that it sends to the server"; "A server MUST
// NOT mask any frames that it sends to the client."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.1
func TestSection5_1SentMasks(t *testing.T) {
	for _, kind := range sendKinds {
		inBothRoles(t, "5.1", "sending "+kind.name, func(t *testing.T, s side) {
			h := &hand{}
			p := s.start(t, &stream.Options{Operators: []stream.Operator{h}})
			takeAll(p.Conn)
			if err := kind.send(p, h.link); err != nil {
				t.Fatal(err)
			}
			f := p.Next(kind.name)
			for !f.Fin { // a Writer may end with an empty fragment
				more := p.Next(kind.name)
				f.Payload, f.Fin = append(f.Payload, more.Payload...), more.Fin
			}
			if f.IsMasked != (s.role == stream.Client) {
				t.Errorf("masked: %v", f)
			}
			if f.Opcode != kind.want.Opcode || string(f.Payload) != string(kind.want.Payload) {
				t.Errorf("came %v, want %v", f, kind.want)
			}
		})
	}
}

// "When preparing a masked frame, the client MUST pick a fresh masking key from
// the set of allowed 32-bit values."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3
func TestSection5_3Keys(t *testing.T) {
	rule(t, "5.3", "a fresh key for each of 2000 frames", func(t *testing.T) {
		p := script.Client(t, nil)
		var keys [][4]byte
		for range 2000 {
			if err := p.Conn.SendText(ctx, "the same"); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, p.Next("the message").Key)
		}
		areFresh(t, keys)
	})
	rule(t, "5.3", "a fresh key for each of 500 fragments", func(t *testing.T) {
		p := script.Client(t, &stream.Options{FragmentSize: 10})
		if err := p.Conn.SendBinary(ctx, filler(5000)); err != nil {
			t.Fatal(err)
		}
		var keys [][4]byte
		for range 500 {
			keys = append(keys, p.Next("a fragment").Key)
		}
		areFresh(t, keys)
	})
	rule(t, "5.3", "a fresh key for each of 500 connections", func(t *testing.T) {
		var keys [][4]byte
		for range 500 {
			p := script.Client(t, nil)
			if err := p.Conn.SendText(ctx, "the same"); err != nil {
				t.Fatal(err)
			}
			keys = append(keys, p.Next("the message").Key)
			p.End()
		}
		areFresh(t, keys)
	})
	rule(t, "5.3", "a fresh key for each of 500 pongs", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		var keys [][4]byte
		for range 500 {
			p.Sends(script.Ping("the same"))
			keys = append(keys, p.Next("a pong").Key)
		}
		areFresh(t, keys)
	})
}

// areFresh sees that keys do not return and that no octet of them keeps to a
// few values. That 2000 fair keys hold two equal ones happens once in 2000
// runs, so one such pair is let pass.
func areFresh(t *testing.T, keys [][4]byte) {
	t.Helper()
	seen := map[[4]byte]bool{}
	octets := [4]map[byte]bool{{}, {}, {}, {}}
	for _, key := range keys {
		seen[key] = true
		for i, b := range key {
			octets[i][b] = true
		}
	}
	if len(seen) < len(keys)-1 {
		t.Errorf("%d keys for %d frames", len(seen), len(keys))
	}
	for i, values := range octets {
		if len(values) < 150 {
			t.Errorf("octet %d of %d keys has only %d values", i, len(keys), len(values))
		}
	}
}

// transformed-octet-i = original-octet-i XOR masking-key-octet-(i MOD 4), at
// every length and, received, at every cut. "A server MUST remove masking for
// data frames received from a client" (section 6.2).
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3
func TestSection5_3Transformation(t *testing.T) {
	keys := [][4]byte{{}, {0xFF, 0xFF, 0xFF, 0xFF}, {1, 2, 4, 8}, {0, 0, 0, 0x80}, {0x37, 0xfa, 0x21, 0x3d}}
	for _, key := range keys {
		rule(t, "5.3", fmt.Sprintf("receiving 0 to 140 bytes with the key % x", key), func(t *testing.T) {
			p := script.Server(t, nil)
			app := takeAll(p.Conn)
			var want []stream.Message
			for n := range 140 {
				p.Sends(script.Binary(filler(n)).Masked(key))
				want = append(want, bin(filler(n)))
			}
			p.Sends(script.Close(1000, ""))
			p.WantsClose(1000)
			app.ends(t, nil)
			sameMessages(t, app.messages, want)
		})
		rule(t, "5.3", fmt.Sprintf("receiving 90 bytes cut at each with the key % x", key), func(t *testing.T) {
			p := script.Server(t, nil)
			app := takeAll(p.Conn)
			f := script.Binary(filler(90)).Masked(key)
			var want []stream.Message
			for n := 1; n < len(p.Bytes(f)); n++ {
				p.Sends(f.First(n))
				p.Sends(f.Rest(n))
				want = append(want, bin(filler(90)))
			}
			p.Sends(script.Close(1000, ""))
			p.WantsClose(1000)
			app.ends(t, nil)
			sameMessages(t, app.messages, want)
		})
	}
	rule(t, "5.3", "sending 0 to 300 bytes", func(t *testing.T) {
		p := script.Client(t, nil)
		for n := range 300 {
			data := filler(n)
			if err := p.Conn.SendBinary(ctx, data); err != nil {
				t.Fatal(err)
			}
			p.Wants("the message", script.Binary(filler(n)))
			if string(data) != string(filler(n)) {
				t.Fatalf("SendBinary has changed the %d bytes it was given", n)
			}
		}
	})
}
