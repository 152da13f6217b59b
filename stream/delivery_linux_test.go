//go:build linux && !386

package stream

import (
	"encoding/binary"
	"testing"
)

func TestParseTCPInfo(t *testing.T) {
	info := make([]byte, 240)
	for i := range info {
		info[i] = 0xFF
	}
	binary.NativeEndian.PutUint64(info[120:], 123456789)
	for _, c := range []struct {
		name  string
		info  []byte
		acked int64
		ok    bool
	}{
		{"nothing", nil, 0, false},
		{"Linux 3.10", info[:104], 0, false},
		{"cut", info[:127], 0, false},
		{"just so", info[:128], 123456789, true},
		{"today", info, 123456789, true},
		{"zeros", make([]byte, 240), 0, false},
	} {
		if acked, ok := parseTCPInfo(c.info); acked != c.acked || ok != c.ok {
			t.Errorf("%s: %d, %t; want %d, %t", c.name, acked, ok, c.acked, c.ok)
		}
	}
}
