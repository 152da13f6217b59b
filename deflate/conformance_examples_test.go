package deflate

import (
	"bytes"
	"context"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// An example is one of the RFC's: frames as a server sends them, byte for byte.
// A client sends the same, masked.
type example struct {
	section, name string
	octets        []byte
	frames        []script.Frame // the same
	yields        []stream.Message
}

// The examples have 0xc1 for the first byte of a frame with FIN, RSV1 and the
// opcode of a text, 0x41 for one without FIN, and 0x80 for the last
// continuation.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.3
var examples = []example{
	{
		"7.2.3.1", "one frame",
		[]byte{
			0xc1, 0x07, // FIN, RSV1, text of 7 bytes
			0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, // one block with fixed codes
		},
		[]script.Frame{packed(script.Text(hello))},
		[]stream.Message{text("Hello")},
	},
	{
		"7.2.3.1", "two fragments",
		[]byte{
			0x41, 0x03, 0xf2, 0x48, 0xcd, // RSV1, text, the first 3 bytes
			0x80, 0x04, 0xc9, 0xc9, 0x07, 0x00, // FIN, continuation, the other 4
		},
		[]script.Frame{packed(script.Text(hello[:3])).Open(), script.Last(hello[3:])},
		[]stream.Message{text("Hello")},
	},
	{
		"7.2.3.2", "the second message without the first",
		[]byte{
			0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00,
			0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00,
		},
		[]script.Frame{packed(script.Text(hello)), packed(script.Text(hello))},
		[]stream.Message{text("Hello"), text("Hello")},
	},
	{
		"7.2.3.2", "the second message as a reference to the first",
		[]byte{
			0xc1, 0x07, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00,
			0xc1, 0x05, 0xf2, 0x00, 0x11, 0x00, 0x00, // H, and a copy of 4 from 5 back
		},
		[]script.Frame{packed(script.Text(hello)), packed(script.Text("\xf2\x00\x11\x00\x00"))},
		[]stream.Message{text("Hello"), text("Hello")},
	},
	{
		"7.2.3.3", "a stored block",
		[]byte{
			0xc1, 0x0b,
			0x00,                   // no BFINAL, no compression
			0x05, 0x00, 0xfa, 0xff, // 5 bytes, and the complement of that
			0x48, 0x65, 0x6c, 0x6c, 0x6f,
			0x00, // the header of the tail's block
		},
		[]script.Frame{packed(script.Text("\x00\x05\x00\xfa\xffHello\x00"))},
		[]stream.Message{text("Hello")},
	},
	{
		"7.2.3.4", "a block with BFINAL",
		[]byte{
			0xc1, 0x08,
			0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, // BFINAL is the lowest bit of 0xf3
			0x00, // the header of the tail's block, for which BFINAL left no place
		},
		[]script.Frame{packed(script.Text("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))},
		[]stream.Message{text("Hello")},
	},
	{
		"7.2.3.5", "two blocks",
		[]byte{
			0xc1, 0x0d,
			0xf2, 0x48, 0x05, 0x00, // "He"
			0x00, 0x00, 0xff, 0xff, // an empty stored block
			0xca, 0xc9, 0xc9, 0x07, 0x00, // "llo"
		},
		[]script.Frame{packed(script.Text("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"))},
		[]stream.Message{text("Hello")},
	},
	{
		"7.2.3.6", "an empty message",
		[]byte{0xc1, 0x01, 0x00},
		[]script.Frame{packed(script.Text("\x00"))},
		[]stream.Message{text("")},
	},
	{
		"7.2.3.6", "an empty fragment at the end",
		[]byte{
			0x41, 0x0b, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff, // flushed
			0x80, 0x01, 0x00,
		},
		[]script.Frame{packed(script.Text(hello + "\x00\x00\xff\xff")).Open(), script.Last("\x00")},
		[]stream.Message{text("Hello")},
	},
}

func TestSection7_2_3Received(t *testing.T) {
	for _, e := range examples {
		var octets []byte
		for _, f := range e.frames {
			octets = append(octets, f.Bytes(false)...)
		}
		if !bytes.Equal(octets, e.octets) {
			t.Errorf("%s: the frames are % x, want % x", e.name, octets, e.octets)
		}
		for name, send := range map[string]func(*script.Peer, ...script.Frame){
			"in one piece": (*script.Peer).Sends, "byte by byte": func(p *script.Peer, f ...script.Frame) { p.SendsIn(1, f...) },
		} {
			inBothRoles(t, e.section, "receiving "+e.name+"/"+name, func(t *testing.T, s side) {
				inbound{sends: e.frames, yields: e.yields}.run(t, s, send)
			})
		}
	}
}

// The examples are not the only ways to compress what they compress. What this
// side makes of the same messages is what they say of it.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.3
func TestSection7_2_3Sent(t *testing.T) {
	inBothRoles(t, "7.2.3.1", "sending it", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{Threshold: -1}, nil)
		if err := p.Conn.SendText(context.Background(), "Hello"); err != nil {
			t.Fatal(err)
		}
		p.Wants("the example", examples[0].frames[0])
	})
	inBothRoles(t, "7.2.3.1", "sending it in fragments of 3 bytes", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{Threshold: -1}, &stream.Options{FragmentSize: 3})
		if err := p.Conn.SendText(context.Background(), "Hello"); err != nil {
			t.Fatal(err)
		}
		if got := nextMessage(t, p); string(got.payload) != hello || !got.compressed || got.frames != 3 {
			t.Errorf("came % x in %d frames", got.payload, got.frames)
		}
	})
	inBothRoles(t, "7.2.3.6", "sending an empty message piece by piece", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{Threshold: -1}, nil)
		w, err := p.Conn.Writer(context.Background(), stream.Text)
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := nextMessage(t, p); got.compressed && string(got.payload) != "\x00" || !got.compressed && len(got.payload) > 0 {
			t.Errorf("came % x", got.payload)
		}
	})
	inBothRoles(t, "7.2.3.6", "a message whose last piece is empty", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, nil)
		w, err := p.Conn.Writer(context.Background(), stream.Binary)
		if err != nil {
			t.Fatal(err)
		}
		m := corpus("records", 32<<10, 1)[0] // two pieces of a Writer's
		w.Write(m)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := (&judge{bits: 15}).inflate(t, nextMessage(t, p).payload); !bytes.Equal(got, m) {
			t.Errorf("%d bytes came out as %d", len(m), len(got))
		}
	})
}
