package script_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
)

// The frames of https://www.rfc-editor.org/rfc/rfc6455.html#section-5.7, and
// the ways to bend them.
func TestFrameBytes(t *testing.T) {
	rfcKey := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	long := strings.Repeat("x", 256)
	tests := []struct {
		name  string
		frame script.Frame
		want  string
	}{
		{"unmasked text", script.Text("Hello"), "\x81\x05\x48\x65\x6c\x6c\x6f"},
		{"masked text", script.Text("Hello").Masked(rfcKey), "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"},
		{"first fragment", script.Text("Hel").Open(), "\x01\x03\x48\x65\x6c"},
		{"last fragment", script.Last("lo"), "\x80\x02\x6c\x6f"},
		{"ping", script.Ping("Hello"), "\x89\x05\x48\x65\x6c\x6c\x6f"},
		{"masked pong", script.Pong("Hello").Masked(rfcKey), "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"},
		{"256 bytes", script.Binary(long), "\x82\x7e\x01\x00" + long},
		{"64 KiB", script.Binary(strings.Repeat(long, 256)), "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + strings.Repeat(long, 256)},
		{"a length in 16 bits", script.Ping("a").In16(), "\x89\x7e\x00\x01a"},
		{"a length in 64 bits", script.Ping("a").In64(), "\x89\x7f\x00\x00\x00\x00\x00\x00\x00\x01a"},
		{"a claimed length", script.Text("a").Claiming(1 << 63), "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00a"},
		{"125 bytes", script.Ping(long[:125]), "\x89\x7d" + long[:125]},
		{"126 bytes", script.Ping(long[:126]), "\x89\x7e\x00\x7e" + long[:126]},
		{"reserved bits and opcode", script.Of(0xB, "").Reserved(5).Open(), "\x5b\x00"},
		{"middle fragment", script.More("a"), "\x00\x01a"},
		{"close", script.Close(1000, "bye"), "\x88\x05\x03\xe8bye"},
		{"close without a code", script.CloseEmpty(), "\x88\x00"},
		{"the first bytes", script.Text("Hello").First(3), "\x81\x05\x48"},
		{"the other bytes", script.Text("Hello").Rest(3), "\x65\x6c\x6c\x6f"},
	}
	for _, test := range tests {
		if got := test.frame.Bytes(false); string(got) != test.want {
			t.Errorf("%s: [% x], want [% x]", test.name, got, test.want)
		}
	}
}

func TestFrameBytesByClient(t *testing.T) {
	f := script.Text("Hello")
	b := f.Bytes(true)
	if b[1] != 0x85 || len(b) != 11 {
		t.Fatalf("[% x] is not a masked frame", b)
	}
	for i, c := range []byte("Hello") {
		if b[6+i]^b[2+i%4] != c {
			t.Errorf("[% x]: byte %d is masked wrongly", b, i)
		}
	}
	if got := f.Unmasked().Bytes(true); !bytes.Equal(got, f.Bytes(false)) {
		t.Errorf("unmasked: [% x]", got)
	}
	if got := append(f.First(4).Bytes(true), f.Rest(4).Bytes(true)...); !bytes.Equal(got, b) {
		t.Errorf("in two parts: [% x], want [% x]", got, b)
	}
}
