package wire

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
	"unsafe"
)

// begun holds the encoding of every rune, cut short in every way.
var begun = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool)
	for r := rune(utf8.RuneSelf); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		for s := string(r); len(s) > 1; {
			s = s[:len(s)-1]
			m[s] = true
		}
	}
	return m
})

// possible reports whether some bytes after p make it valid UTF-8.
func possible(p []byte) bool {
	for len(p) > 0 {
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			return begun()[string(p)]
		}
		p = p[size:]
	}
	return true
}

// agrees writes p to u in pieces that end where the bits of cuts say, and
// after each compares u with the definition. It resets u first.
func agrees(t *testing.T, u *UTF8, p []byte, cuts uint64) {
	t.Helper()
	u.Reset()
	from := 0
	for to := 1; to <= len(p); to++ {
		if to < len(p) && cuts>>((to-1)%64)&1 == 0 {
			continue
		}
		if got, want := u.Write(p[from:to]), possible(p[:to]); got != want {
			t.Fatalf("% x cut by %b: Write of [%d:%d] = %t, want %t", p, cuts, from, to, got, want)
		}
		if got, want := u.Complete(), utf8.Valid(p[:to]); got != want {
			t.Fatalf("% x cut by %b: Complete after %d = %t, want %t", p, cuts, to, got, want)
		}
		from = to
	}
}

// TestUTF8Edges writes every sequence of up to four of the bytes at which a
// rule begins or ends, cut in every way.
func TestUTF8Edges(t *testing.T) {
	edges := []byte{
		0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
		0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
	}
	var u UTF8
	var grow func(p []byte)
	grow = func(p []byte) {
		for cuts := range uint64(1) << max(len(p)-1, 0) {
			agrees(t, &u, p, cuts)
		}
		if len(p) == 4 || !possible(p) {
			return
		}
		for _, c := range edges {
			grow(append(p, c))
		}
	}
	grow(make([]byte, 0, 4))
}

func TestUTF8Pairs(t *testing.T) {
	var u UTF8
	for a := range 256 {
		for b := range 256 {
			agrees(t, &u, []byte{byte(a), byte(b)}, 1)
		}
	}
}

// TestUTF8FailsEarly names the sequences that a check of whole runes would let
// wait for more.
func TestUTF8FailsEarly(t *testing.T) {
	for _, c := range []struct{ good, bad string }{
		{"", "\x80"},          // a tail with nothing before it
		{"", "\xc0"},          // could only be overlong
		{"", "\xc1"},          // could only be overlong
		{"", "\xf5"},          // past U+10FFFF
		{"", "\xff"},          // in no encoding
		{"\xe0", "\x80"},      // overlong
		{"\xe0", "\x9f"},      // overlong
		{"\xed", "\xa0"},      // a surrogate
		{"\xf0", "\x8f"},      // overlong
		{"\xf4", "\x90"},      // past U+10FFFF
		{"\xc3", "a"},         // cut short
		{"\xe2\x82", "\xc3"},  // cut short
		{"\xf0\x9f\x98", "a"}, // cut short
	} {
		for _, before := range []string{"", "plain ASCII before it", "é世界"} {
			var u UTF8
			if !u.Write([]byte(before + c.good)) {
				t.Errorf("%q failed", before+c.good)
			}
			if u.Write([]byte(c.bad)) {
				t.Errorf("%q after %q passed", c.bad, before+c.good)
			}
			var whole UTF8
			if whole.Write([]byte(before + c.good + c.bad)) {
				t.Errorf("%q in one piece passed", before+c.good+c.bad)
			}
		}
	}
}

func TestUTF8StaysInvalid(t *testing.T) {
	for _, bad := range []string{"\xff", "a\xffa", "\xc3a", "\xed\xa0"} {
		var u UTF8
		u.Write([]byte(bad))
		for _, p := range []string{"", "a", "é", "\xc3", strings.Repeat("a", 100)} {
			if u.Write([]byte(p)) {
				t.Errorf("%q passed after %q", p, bad)
			}
			if u.Complete() {
				t.Errorf("complete after %q and %q", bad, p)
			}
		}
		u.Reset()
		if !u.Complete() || !u.Write([]byte("é")) || !u.Complete() {
			t.Errorf("not valid again after %q and Reset", bad)
		}
	}
}

func TestUTF8Zero(t *testing.T) {
	var u UTF8
	if !u.Complete() || !u.Write(nil) || !u.Complete() {
		t.Error("no text is not complete")
	}
	u.Write([]byte("\xe2"))
	if !u.Write(nil) || u.Complete() {
		t.Error("an empty piece changed the state within a rune")
	}
	u.Reset()
	if !u.Complete() {
		t.Error("Reset kept a rune that had begun")
	}
	if n := unsafe.Sizeof(u); n > 8 {
		t.Errorf("UTF8 has %d bytes, want at most 8", n)
	}
}

func TestUTF8Allocs(t *testing.T) {
	var u UTF8
	p := []byte("a é 世 😀 \xf0\x9f")
	allocates(t, "UTF8", func() {
		u.Reset()
		u.Write(p)
		u.Write(p[:3])
		u.Complete()
	})
}

func FuzzUTF8(f *testing.F) {
	f.Add([]byte("a é 世 😀"), ^uint64(0))
	f.Add([]byte("0123456789abcdef\xed\xa0\x80"), uint64(0))
	f.Add([]byte("\xf4\x8f\xbf\xbf\xf4\x90"), uint64(0b10110))
	f.Add([]byte("\xe0\xa0\x80\xe0\x80"), uint64(0b101))
	f.Fuzz(func(t *testing.T, p []byte, cuts uint64) {
		var u UTF8
		agrees(t, &u, p, cuts)
		agrees(t, &u, p, ^uint64(0))
	})
}

func BenchmarkUTF8(b *testing.B) {
	for _, text := range []struct{ name, unit string }{
		{"ASCII", "a"},
		{"mixed", "plain text, then é, 世 and 😀. "},
	} {
		for _, size := range []int{64, 1 << 10, 64 << 10} {
			p := bytes.Repeat([]byte(text.unit), size/len(text.unit)+1)[:size]
			b.Run(fmt.Sprintf("%s/size=%d", text.name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				for b.Loop() {
					var u UTF8
					if !u.Write(p) {
						b.Fatal("the text is not valid")
					}
				}
			})
		}
	}
}

func TestValid(t *testing.T) {
	for n := range 100 {
		p := bytes.Repeat([]byte{'a'}, n)
		if !Valid(p) {
			t.Errorf("%d bytes of ASCII are not valid", n)
		}
		for i := range p {
			p[i] = 0xC3
			if Valid(p) {
				t.Errorf("%d bytes with a lone 0xC3 at %d are valid", n, i)
			}
			p[i] = 'a'
			if q := bytes.Replace(p, []byte("aa"), []byte("ä"), 1); !Valid(q) {
				t.Errorf("%q is not valid", q)
			}
		}
	}
}
