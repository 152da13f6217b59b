package deflate

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseElements(t *testing.T) {
	p := func(name string) parameter { return parameter{name: name} }
	v := func(name, value string) parameter { return parameter{name, value, true} }
	for header, want := range map[string][]element{
		"":                        nil,
		" \t":                     nil,
		", ,":                     nil,
		"a":                       {{"a", nil}},
		"a;b":                     {{"a", []parameter{p("b")}}},
		"a ; b = c":               {{"a", []parameter{v("b", "c")}}},
		"\ta\t;\tb\t=\tc\t":       {{"a", []parameter{v("b", "c")}}},
		`a; b="c"; d`:             {{"a", []parameter{v("b", "c"), p("d")}}},
		`a; b = "1\0" ,c`:         {{"a", []parameter{v("b", "10")}}, {"c", nil}},
		`a; b="\1\2"`:             {{"a", []parameter{v("b", "12")}}},
		",a,,b; c,":               {{"a", nil}, {"b", []parameter{p("c")}}},
		"a, a; b=1; b":            {{"a", nil}, {"a", []parameter{v("b", "1"), p("b")}}},
		"!#$%&'*+-.^_`|~09azAZ;x": {{"!#$%&'*+-.^_`|~09azAZ", []parameter{p("x")}}},
	} {
		got, err := parseElements(header)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v, want %v", header, got, err, want)
		}
	}
}

func TestParseElementsRefuses(t *testing.T) {
	for header, want := range map[string]string{
		";":          `token is missing before ";"`,
		"a;":         `token is missing before ""`,
		"a; ;b":      `token is missing before ";b"`,
		"a; b=":      `token is missing before ""`,
		"a; =b":      `token is missing before "=b"`,
		"a b":        `"b" begins with none of`,
		"a=b":        `"=b" begins with none of`,
		"a; b=c d":   `"d" begins with none of`,
		`a; b="c"d`:  `"d" begins with none of`,
		`"a"`:        `token is missing`,
		`a; b="c`:    `no closing quote`,
		`a; b="c\"`:  `no closing quote`,
		`a; b="c\`:   `no closing quote`,
		`a; b=""`:    `empty value`,
		`a; b="c d"`: `"c d" is no token`,
		"a; b=\xe4":  `token is missing`,
		"a\x00":      `begins with none of`,
		"a\x7f":      `begins with none of`,
		"a\nb":       `begins with none of`,
	} {
		got, err := parseElements(header)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "Sec-WebSocket-Extensions: ") {
			t.Errorf("%q: got %v, %v, want an error with %s", header, got, err, want)
		}
	}
}

// FuzzParseElements writes what was parsed in another form, and expects the
// same from it.
func FuzzParseElements(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits")
	f.Add(`a ;b = "c\d" , ,e`)
	f.Add(`a; b="`)
	f.Fuzz(func(t *testing.T, header string) {
		elements, err := parseElements(header)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, e := range elements {
			b.WriteString(" ,," + e.name)
			for _, p := range e.parameters {
				b.WriteString("\t;" + p.name)
				if p.set {
					b.WriteString(` = "` + p.value + `"`)
				}
			}
		}
		again, err := parseElements(b.String())
		if err != nil || !reflect.DeepEqual(again, elements) {
			t.Fatalf("%q: %v, and as %q: %v, %v", header, elements, b.String(), again, err)
		}
	})
}
