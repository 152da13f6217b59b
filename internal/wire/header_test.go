package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// The example frames of the RFC, but for the payloads of the last two.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.7
var examples = []struct {
	name    string
	header  Header
	bytes   []byte
	payload []byte // as on the wire
}{
	{
		"unmasked text", Header{Fin: true, Opcode: 1, Length: 5},
		[]byte{
			0x81, // FIN, text
			0x05, // 5 bytes
		},
		[]byte("Hello"),
	},
	{
		"masked text", Header{Fin: true, Opcode: 1, Masked: true, Key: 0x3d21fa37, Length: 5},
		[]byte{
			0x81,                   // FIN, text
			0x85,                   // MASK, 5 bytes
			0x37, 0xfa, 0x21, 0x3d, // masking key
		},
		[]byte{0x7f, 0x9f, 0x4d, 0x51, 0x58}, // "Hello"
	},
	{
		"first fragment", Header{Opcode: 1, Length: 3},
		[]byte{
			0x01, // text, more to come
			0x03, // 3 bytes
		},
		[]byte("Hel"),
	},
	{
		"last fragment", Header{Fin: true, Length: 2},
		[]byte{
			0x80, // FIN, continuation
			0x02, // 2 bytes
		},
		[]byte("lo"),
	},
	{
		"unmasked ping", Header{Fin: true, Opcode: 9, Length: 5},
		[]byte{
			0x89, // FIN, ping
			0x05, // 5 bytes
		},
		[]byte("Hello"),
	},
	{
		"masked pong", Header{Fin: true, Opcode: 10, Masked: true, Key: 0x3d21fa37, Length: 5},
		[]byte{
			0x8a,                   // FIN, pong
			0x85,                   // MASK, 5 bytes
			0x37, 0xfa, 0x21, 0x3d, // masking key
		},
		[]byte{0x7f, 0x9f, 0x4d, 0x51, 0x58}, // "Hello"
	},
	{
		"256 bytes", Header{Fin: true, Opcode: 2, Length: 256},
		[]byte{
			0x82,       // FIN, binary
			0x7e,       // the length follows in 2 bytes
			0x01, 0x00, // 256 bytes
		},
		nil,
	},
	{
		"64 KiB", Header{Fin: true, Opcode: 2, Length: 65536},
		[]byte{
			0x82,                                           // FIN, binary
			0x7f,                                           // the length follows in 8 bytes
			0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, // 65,536 bytes
		},
		nil,
	},
}

func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			encodes(t, e.header, e.bytes)
			h, n, err := Parse(slices.Concat(e.bytes, e.payload))
			if h != e.header || n != len(e.bytes) || err != nil {
				t.Errorf("Parse = %+v, %d, %v; want %+v, %d", h, n, err, e.header, len(e.bytes))
			}
			if !h.Masked {
				return
			}
			text := make([]byte, len(e.payload))
			Mask(text, e.payload, h.Key)
			if string(text) != "Hello" {
				t.Errorf("unmasked payload %q, want Hello", text)
			}
		})
	}
}

// encodes checks that want is the encoding of h, both ways, and that no part
// of it is taken for a header.
func encodes(t *testing.T, h Header, want []byte) {
	t.Helper()
	if got := Append(nil, h); !bytes.Equal(got, want) {
		t.Errorf("Append(%+v) = % x, want % x", h, got, want)
	}
	if got, n, err := Parse(want); got != h || n != len(want) || err != nil {
		t.Errorf("Parse(% x) = %+v, %d, %v; want %+v, %d", want, got, n, err, h, len(want))
	}
	for i := range want {
		if got, n, err := Parse(want[:i]); got != (Header{}) || n != 0 || err != nil {
			t.Errorf("Parse(% x) = %+v, %d, %v; want to read on", want[:i], got, n, err)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		length int64
		bytes  []byte // the second byte of the header, unmasked, and those of the length
	}{
		{0, []byte{0}},
		{1, []byte{1}},
		{125, []byte{125}},
		{126, []byte{126, 0, 126}},
		{127, []byte{126, 0, 127}},
		{128, []byte{126, 0, 128}},
		{0x1234, []byte{126, 0x12, 0x34}},
		{65535, []byte{126, 0xff, 0xff}},
		{65536, []byte{127, 0, 0, 0, 0, 0, 1, 0, 0}},
		{0x0123456789abcdef, []byte{127, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}},
		{math.MaxInt64, []byte{127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
	} {
		t.Run(fmt.Sprint(c.length), func(t *testing.T) {
			h := Header{Opcode: 2, Length: c.length}
			b := append([]byte{0x02}, c.bytes...)
			encodes(t, h, b)

			h.Masked, h.Key = true, 0x04030201
			b[1] |= 0x80
			encodes(t, h, append(b, 1, 2, 3, 4))
		})
	}
}

func TestForbiddenLengths(t *testing.T) {
	for _, c := range []struct {
		bytes []byte
		want  error
	}{
		{[]byte{126, 0, 0}, ErrLength},
		{[]byte{126, 0, 124}, ErrLength}, // the RFC's example
		{[]byte{126, 0, 125}, ErrLength},
		{[]byte{127, 0, 0, 0, 0, 0, 0, 0, 0}, ErrLength},
		{[]byte{127, 0, 0, 0, 0, 0, 0, 0, 126}, ErrLength},
		{[]byte{127, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, ErrLength},
		{[]byte{127, 0x80, 0, 0, 0, 0, 0, 0, 0}, ErrTopBit},
		{[]byte{127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ErrTopBit},
	} {
		for _, mask := range []byte{0, 0x80} {
			b := append([]byte{0x82, c.bytes[0] | mask}, c.bytes[1:]...)
			for i := range b {
				if _, n, err := Parse(b[:i]); n != 0 || err != nil {
					t.Errorf("Parse(% x) = %d, %v; want to read on", b[:i], n, err)
				}
			}
			for range 6 { // from no byte of the masking key to one byte of payload
				if h, n, err := Parse(b); h != (Header{}) || n != 0 || err != c.want {
					t.Errorf("Parse(% x) = %+v, %d, %v; want %v", b, h, n, err, c.want)
				}
				b = append(b, 0x55)
			}
		}
	}
}

func TestFirstByte(t *testing.T) {
	for first := range 256 {
		h := Header{Fin: first >= 0x80, RSV: byte(first / 16 % 8), Opcode: byte(first % 16), Length: 7}
		encodes(t, h, []byte{byte(first), 7})
	}
}

func TestAppendIgnores(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want Header
	}{
		{"the high bits of RSV", Header{RSV: 0xf8}, Header{}},
		{"the high bits of Opcode", Header{Opcode: 0xf1}, Header{Opcode: 1}},
		{"Key when not Masked", Header{Key: 1}, Header{}},
	} {
		if got, want := Append(nil, c.got), Append(nil, c.want); !bytes.Equal(got, want) {
			t.Errorf("%s: % x, want % x", c.name, got, want)
		}
	}
}

func TestAppendExtends(t *testing.T) {
	dst := append(make([]byte, 0, 64), "before"...)
	got := Append(dst, Header{Length: 126})
	if string(got) != "before\x00\x7e\x00\x7e" {
		t.Errorf("got %q", got)
	}
	if &got[0] != &dst[0] {
		t.Error("moved although there was room")
	}
}

func TestMaxHeader(t *testing.T) {
	if n := len(Append(nil, Header{Masked: true, Length: math.MaxInt64})); n != MaxHeader {
		t.Errorf("the longest header has %d bytes, MaxHeader is %d", n, MaxHeader)
	}
}

// TestMaxControl holds the limit of control frames to the longest length that
// fits the second byte of a header.
func TestMaxControl(t *testing.T) {
	encodes(t, Header{Fin: true, Opcode: 9, Length: MaxControl}, []byte{0x89, 0x7d})
	encodes(t, Header{Fin: true, Opcode: 9, Length: MaxControl + 1}, []byte{0x89, 0x7e, 0x00, 0x7e})
}

func TestHeaderAllocs(t *testing.T) {
	var b [MaxHeader]byte
	h := Header{Fin: true, Opcode: 2, Masked: true, Key: 1, Length: 1 << 20}
	bad := []byte{0x82, 126, 0, 1}
	allocates(t, "Append", func() { Append(b[:0], h) })
	allocates(t, "Parse", func() { Parse(b[:]) })
	allocates(t, "Parse of a forbidden length", func() { Parse(bad) })
}

// allocates checks that f allocates nothing.
func allocates(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: %v allocations, want none", name, n)
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range examples {
		f.Add(slices.Concat(e.bytes, e.payload))
	}
	f.Add([]byte{0x82, 0xfe, 0, 124})
	f.Add([]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := Parse(b)
		switch {
		case err != nil:
			if h != (Header{}) || n != 0 || len(b) < 4 {
				t.Fatalf("Parse(% x) = %+v, %d, %v", b, h, n, err)
			}
		case n == 0:
			if h != (Header{}) || len(b) >= MaxHeader {
				t.Fatalf("Parse(% x) = %+v, %d, %v", b, h, n, err)
			}
		default:
			if h.Length < 0 || !h.Masked && h.Key != 0 {
				t.Fatalf("Parse(% x) = %+v", b, h)
			}
			encodes(t, h, b[:n])
		}
	})
}

func FuzzAppend(f *testing.F) {
	f.Add(true, byte(4), byte(1), true, uint32(0x3d21fa37), int64(65536))
	f.Add(false, byte(0), byte(0), false, uint32(0), int64(125))
	f.Fuzz(func(t *testing.T, fin bool, rsv, opcode byte, masked bool, key uint32, length int64) {
		h := Header{Fin: fin, RSV: rsv & 7, Opcode: opcode & 15, Masked: masked, Length: length & math.MaxInt64}
		if masked {
			h.Key = key
		}
		b := Append(nil, h)
		if want := sizeOf(h); len(b) != want {
			t.Fatalf("Append(%+v) has %d bytes, want %d", h, len(b), want)
		}
		encodes(t, h, b)
	})
}

// sizeOf returns the size of h's encoding.
func sizeOf(h Header) int {
	n := 2
	if h.Length > 125 {
		n += 2
	}
	if h.Length > 65535 {
		n += 6
	}
	if h.Masked {
		n += binary.Size(h.Key)
	}
	return n
}

func BenchmarkParse(b *testing.B) {
	for _, h := range []Header{
		{Fin: true, Opcode: 1, Length: 64},
		{Fin: true, Opcode: 1, Length: 1 << 10},
		{Fin: true, Opcode: 1, Length: 64 << 10},
		{Fin: true, Opcode: 1, Length: 64, Masked: true, Key: 0x3d21fa37},
	} {
		b.Run(fmt.Sprintf("length=%d/masked=%t", h.Length, h.Masked), func(b *testing.B) {
			p := Append(nil, h)
			for b.Loop() {
				Parse(p)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	var p [MaxHeader]byte
	h := Header{Fin: true, Opcode: 1, Length: 64, Masked: true, Key: 0x3d21fa37}
	for b.Loop() {
		Append(p[:0], h)
	}
}
