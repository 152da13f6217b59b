package wire

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseClose(t *testing.T) {
	long := strings.Repeat("x", MaxControl-2)
	for _, c := range []struct {
		payload string
		code    int
		reason  string
		err     error
	}{
		{"", 1005, "", nil},
		{"\x03", 0, "", ErrCloseSize},
		{"\x03\xe8", 1000, "", nil},
		{"\x03\xe8done", 1000, "done", nil},
		{"\x0f\xa0世", 4000, "世", nil},
		{"\x03\xe8" + long, 1000, long, nil},
		{"\x03\xed", 1005, "", ErrCloseCode},
		{"\x03\xeewhy", 1006, "", ErrCloseCode},
		{"\x03\xe8\xff", 1000, "", ErrCloseReason},
		{"\x03\xe8\xe4\xb8", 1000, "", ErrCloseReason}, // a rune cut short
		{"\x00\x00\xff", 0, "", ErrCloseCode},          // the code counts first
	} {
		code, reason, err := ParseClose([]byte(c.payload))
		if code != c.code || reason != c.reason || err != c.err {
			t.Errorf("ParseClose(%q) = %d, %q, %v; want %d, %q, %v",
				c.payload, code, reason, err, c.code, c.reason, c.err)
		}
	}
}

// TestCloseCodes tries every code there is.
func TestCloseCodes(t *testing.T) {
	allowed := make(map[int]bool)
	for _, r := range [][2]int{{1000, 1003}, {1007, 1014}, {3000, 4999}} {
		for code := r[0]; code <= r[1]; code++ {
			allowed[code] = true
		}
	}
	for want := range 1 << 16 {
		code, _, err := ParseClose([]byte{byte(want >> 8), byte(want)})
		if code != want || (err == nil) != allowed[want] || err != nil && err != ErrCloseCode {
			t.Errorf("code %d: %d, %v; allowed %t", want, code, err, allowed[want])
		}
	}
}

func TestCloseReasonIsCopied(t *testing.T) {
	p := []byte("\x03\xe8done")
	_, reason, _ := ParseClose(p)
	copy(p[2:], "over")
	if reason != "done" {
		t.Errorf("the reason became %q with the buffer", reason)
	}
}

func TestAppendClose(t *testing.T) {
	for _, c := range []struct {
		code   int
		reason string
		want   string
	}{
		{1000, "", "\x03\xe8"},
		{1001, "away", "\x03\xe9away"},
		{4999, "世", "\x13\x87世"},
		{1005, "", ""},
		{1005, "unheard", ""},
	} {
		if got := AppendClose([]byte("before "), c.code, c.reason); string(got) != "before "+c.want {
			t.Errorf("AppendClose(%d, %q) = %q, want %q", c.code, c.reason, got, "before "+c.want)
		}
	}
}

func TestCloseAllocs(t *testing.T) {
	var b [MaxControl]byte
	bare := []byte{0x03, 0xe8}
	allocates(t, "AppendClose", func() { AppendClose(b[:0], 1000, "done") })
	allocates(t, "ParseClose with no reason", func() { ParseClose(bare) })
}

func FuzzParseClose(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{3})
	f.Add([]byte("\x03\xe8done"))
	f.Add([]byte("\x03\xe8\xff"))
	f.Add([]byte("\x03\xed"))
	f.Fuzz(func(t *testing.T, p []byte) {
		code, reason, err := ParseClose(p)
		want := error(nil)
		switch {
		case len(p) == 1:
			want = ErrCloseSize
		case len(p) > 1 && !receivable(int(binary.BigEndian.Uint16(p))):
			want = ErrCloseCode
		case len(p) > 2 && !utf8.Valid(p[2:]):
			want = ErrCloseReason
		}
		if err != want {
			t.Fatalf("ParseClose(%q): %v, want %v", p, err, want)
		}
		if err != nil {
			if reason != "" {
				t.Fatalf("ParseClose(%q) = %d, %q with an error", p, code, reason)
			}
			return
		}
		if got := AppendClose(nil, code, reason); string(got) != string(p) {
			t.Fatalf("ParseClose(%q) = %d, %q, which encodes to %q", p, code, reason, got)
		}
	})
}
