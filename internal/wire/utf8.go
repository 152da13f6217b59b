package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

// Valid reports whether p is valid UTF-8. It is utf8.Valid, faster for text
// that begins with much ASCII.
func Valid(p []byte) bool {
	const high = 0x8080808080808080
	for len(p) >= 32 {
		q := p[:32:32]
		if (binary.LittleEndian.Uint64(q)|binary.LittleEndian.Uint64(q[8:])|
			binary.LittleEndian.Uint64(q[16:])|binary.LittleEndian.Uint64(q[24:]))&high != 0 {
			break
		}
		p = p[32:]
	}
	return utf8.Valid(p)
}

// UTF8 validates text that comes in pieces, which may end anywhere, also
// within a rune. The zero value is ready. Its methods must not run
// concurrently.
//
// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the
// byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail
// the WebSocket Connection_."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-8.1
type UTF8 struct {
	due    byte // bytes missing from the rune that has begun
	lo, hi byte // the range of the next byte, if any is due
	bad    bool
}

// Write takes the next piece and reports whether the text so far can still
// become valid: it fails at the first byte that cannot continue it, without
// waiting for the end of the rune. After that it fails until [UTF8.Reset].
func (u *UTF8) Write(p []byte) bool {
	if u.due == 0 && !u.bad && (len(p) == 0 || p[len(p)-1] < utf8.RuneSelf) {
		u.bad = !Valid(p) // no rune begins in an earlier piece or ends in a later one
		return !u.bad
	}
	return u.write(p)
}

// write does what Write does, for any state and any p.
func (u *UTF8) write(p []byte) bool {
	if u.bad {
		return false
	}
	i := 0
	for ; u.due > 0 && i < len(p); i++ {
		if !u.follow(p[i]) {
			return false
		}
	}
	whole := i + wholeRunes(p[i:])
	if !Valid(p[i:whole]) {
		u.bad = true
		return false
	}
	if whole == len(p) {
		return true
	}
	u.due, u.lo, u.hi = begin(p[whole])
	for _, c := range p[whole+1:] {
		if !u.follow(c) {
			return false
		}
	}
	return true
}

// Complete reports whether all that was written is valid and ends with a whole
// rune. It is true before the first Write.
func (u *UTF8) Complete() bool { return u.due == 0 && !u.bad }

// Reset forgets all that was written.
func (u *UTF8) Reset() { *u = UTF8{} }

// wholeRunes returns the size of p without the rune that has only begun at its
// end, if there is one.
func wholeRunes(p []byte) int {
	for i := max(0, len(p)-(utf8.UTFMax-1)); i < len(p); i++ {
		if due, _, _ := begin(p[i]); int(due) >= len(p)-i {
			return i
		}
	}
	return len(p)
}

// follow takes a byte of the rune that has begun, after its first.
func (u *UTF8) follow(c byte) bool {
	u.bad = c < u.lo || c > u.hi
	u.due--
	u.lo, u.hi = 0x80, 0xBF
	return !u.bad
}

// begin returns how many bytes must follow c, the first of a rune, and the
// range of the first of them. It returns zeros when none may follow: c is
// ASCII, or cannot be the first byte of a rune.
//
//	UTF8-2 = %xC2-DF UTF8-tail
//	UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
//	         %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
//	UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) /
//	         %xF4 %x80-8F 2( UTF8-tail )
//
// https://www.rfc-editor.org/rfc/rfc3629.html#section-4
func begin(c byte) (due, lo, hi byte) {
	switch {
	case c < 0xC2 || c > 0xF4:
		return 0, 0, 0
	case c < 0xE0:
		return 1, 0x80, 0xBF
	case c == 0xE0:
		return 2, 0xA0, 0xBF
	case c == 0xED:
		return 2, 0x80, 0x9F
	case c < 0xF0:
		return 2, 0x80, 0xBF
	case c == 0xF0:
		return 3, 0x90, 0xBF
	case c == 0xF4:
		return 3, 0x80, 0x8F
	}
	return 3, 0x80, 0xBF
}
