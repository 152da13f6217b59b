package dial

import (
	"bufio"
	"maps"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// https://www.rfc-editor.org/rfc/rfc9112.html#section-5
func TestFields(t *testing.T) {
	for lines, fields := range map[string]string{
		"":                              "map[]",
		"A: b\r\n":                      "map[A:[b]]",
		"A: b\n":                        "map[A:[b]]",
		"a-b:c\r\n":                     "map[A-B:[c]]",
		"A:\r\n":                        "map[A:[]]",
		"A: \t b \t \r\n":               "map[A:[b]]",
		"A: b: c\r\n":                   "map[A:[b: c]]",
		"A: b\r\nC: d\r\na: e\r\n":      "map[A:[b e] C:[d]]",
		"A: b\r\n c\r\n\t d \r\nE: f\n": "map[A:[b c d] E:[f]]",
		"A:\r\n b\r\n":                  "map[A:[b]]",
		"A: \xff\x80\r\n":               "map[A:[\xff\x80]]",
		"A b: c\r\n":                    "map[A b:[c]]",
	} {
		header, err := parseFields([]byte(lines + "\r\n"))
		if err != nil {
			t.Errorf("%q: %v", lines, err)
		}
		want(t, lines, header, fields)
	}
}

// The fields before a fault are there.
func TestFaultyFields(t *testing.T) {
	for _, fault := range []string{
		"no colon\r\n", "no colon\r\n but: here\r\n", ": no name\r\n", "a(b: c\r\n", "a\tb: c\r\n", "\x80: c\r\n",
		"B: c\x00\r\n", "B: c\x7f\r\n", "B: c\rd\r\n", "B: c\r\r\n", "B: c\r\n d\x01\r\n",
	} {
		header, err := parseFields([]byte("A: b\r\n" + fault + "D: e\r\n\r\n"))
		want(t, fault+" gives an error", err, errHeader)
		want(t, fault+" leaves", header, "map[A:[b]]")
	}
	header, err := parseFields([]byte(" A: b\r\nC: d\r\n\r\n"))
	want(t, "a first line that continues one gives an error", err, errHeader)
	want(t, "it leaves", header, "map[]")
}

// FuzzFields holds the fields to what net/textproto makes of the same lines.
func FuzzFields(f *testing.F) {
	f.Add("A: b\r\nc-d:e\n f \r\nA: g\r\n")
	f.Add("A : b\n\tc\n: d\n")
	f.Add("A: b\r\n \r\nC\r\n")
	f.Fuzz(func(t *testing.T, lines string) {
		var whole strings.Builder // as far as the first empty line, and that
		for line := range strings.SplitSeq(lines, "\n") {
			if line == "" || line == "\r" {
				break
			}
			whole.WriteString(line + "\n")
		}
		whole.WriteString("\r\n")
		got, err := parseFields([]byte(whole.String()))
		theirs, other := textproto.NewReader(bufio.NewReader(strings.NewReader(whole.String()))).ReadMIMEHeader()
		if (err == nil) != (other == nil) {
			t.Fatalf("%q gives %v, by net/textproto %v", whole.String(), err, other)
		}
		// How many spaces a line without anything comes to is of no account.
		words := func(a, b []string) bool {
			return slices.EqualFunc(a, b, func(a, b string) bool { return slices.Equal(strings.Fields(a), strings.Fields(b)) })
		}
		if !maps.EqualFunc(got, theirs, words) {
			t.Fatalf("%q gives %q, by net/textproto %q", whole.String(), got, theirs)
		}
	})
}
