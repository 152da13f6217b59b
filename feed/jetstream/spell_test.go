package jetstream

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

func TestSpell(t *testing.T) {
	for name, want := range map[string]string{
		"trades.btc": "trades.btc", "a..b": "a.%2Eb", ".": "%2E", "..": "%2E%2E", ".a.": "%2Ea%2E", "a b*>%": "a%20b%2A%3E%25",
		"ä": "%C3%A4", "$JS": "%24JS", "a$": "a$", "\x00\r\n": "%00%0D%0A",
	} {
		if got := spellName(name); got != want {
			t.Errorf("%q is spelled %q, want %q", name, got, want)
		}
	}
	for text, want := range map[string]string{"1/2 3": "1/2 3", " a ": "%20a%20", "a\r\nb": "a%0D%0Ab", "%": "%25"} {
		if got := spellHeader(text); got != want {
			t.Errorf("%q is spelled %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"%": "%", "%4": "%4", "%zz": "%zz", "a%41": "aA", "%+1": "%+1"} {
		if got := unspell(text); got != want {
			t.Errorf("%q says %q, want %q", text, got, want)
		}
	}
}

// Whatever is spelled can be read again, is a subject, and is no other name's.
func TestSpellAnything(t *testing.T) {
	letters := []string{"a", ".", "%", "%2", "2E", " ", "*", ">", "$", "\xff", "\r\n", "ä", "\x00"}
	for range 20_000 {
		var name string
		for range 1 + rand.IntN(8) {
			name += letters[rand.IntN(len(letters))]
		}
		subject, header := spellName(name), spellHeader(name)
		if unspell(subject) != name || unspell(header) != name {
			t.Fatalf("%q is spelled %q and %q, and read as %q and %q", name, subject, header, unspell(subject), unspell(header))
		}
		if strings.ContainsAny(subject, " \t\r\n*>\x00") || strings.ContainsAny(header, "\r\n") || header != strings.TrimSpace(header) {
			t.Fatalf("%q is spelled %q and %q", name, subject, header)
		}
		if slices.Contains(strings.Split(subject, "."), "") {
			t.Fatalf("%q is spelled %q", name, subject)
		}
	}
}

// A header that another program wrote is read as far as it can be.
func TestForeignGap(t *testing.T) {
	if g := decodeGap("nonsense"); *g != (stream.Gap{}) {
		t.Errorf("the gap is %+v", g)
	}
	if g := decodeGap(`{"from":1,"to":2,"new":true}`); g.From != 1 || g.To != 2 {
		t.Errorf("the gap is %+v", g)
	}
}
