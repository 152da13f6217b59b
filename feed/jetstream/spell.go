package jetstream

import (
	"strconv"
	"strings"

	"github.com/wsflow/wsflow/result"
)

const (
	maxName   = 1024     // bytes of a feed's name, spelled as a subject
	maxCursor = 16 << 10 // bytes of a cursor, spelled as a header
	hexDigits = "0123456789ABCDEF"
)

// spellName returns a feed's name as a part of a subject: each byte that a subject
// cannot have there becomes % and two hexadecimal digits, as in a URL. Dots stay,
// but for those beside which a token would be empty, so that readers may filter by
// parts of names.
func spellName(name string) string {
	return spell(name, func(i int) bool {
		switch c := name[i]; {
		case c <= ' ', c >= 0x7f, c == '%', c == '*', c == '>':
			return true
		case c == '$':
			return i == 0
		case c == '.':
			return i == 0 || i == len(name)-1 || name[i-1] == '.'
		}
		return false
	})
}

// spellHeader returns a text as the value of a header, in the same way.
func spellHeader(text string) string {
	return spell(text, func(i int) bool {
		c := text[i]
		return c < ' ' || c >= 0x7f || c == '%' || c == ' ' && (i == 0 || i == len(text)-1)
	})
}

func spell(text string, escape func(i int) bool) string {
	var b []byte // nil while nothing was escaped
	for i := range len(text) {
		switch {
		case escape(i):
			if b == nil {
				b = append(make([]byte, 0, len(text)+16), text[:i]...)
			}
			b = append(b, '%', hexDigits[text[i]>>4], hexDigits[text[i]&15])
		case b != nil:
			b = append(b, text[i])
		}
	}
	if b == nil {
		return text
	}
	return string(b)
}

// unspell returns what was spelled. A % that begins no escape stands for itself.
func unspell(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if c, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, text[i])
	}
	return string(b)
}

// checkName refuses a name that cannot be a subject.
func checkName(name string) error {
	if n := len(spellName(name)); n == 0 || n > maxName {
		return &result.ArgumentError{Name: "a feed's name", Value: name, Allowed: "1 to 1024 bytes; one that a subject cannot have counts three times"}
	}
	return nil
}
