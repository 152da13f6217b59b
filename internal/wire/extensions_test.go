package wire

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseExtensions(t *testing.T) {
	type params = []ExtensionParam
	p := func(name string) ExtensionParam { return ExtensionParam{Name: name} }
	v := func(name, value string) ExtensionParam { return ExtensionParam{name, value, true} }
	for header, want := range map[string][]Extension{
		"":                        nil,
		" \t":                     nil,
		" , ,":                    nil,
		"a":                       {{"a", nil, "a"}},
		"a,b":                     {{"a", nil, "a"}, {"b", nil, "b"}},
		"a; b , c;d ;e":           {{"a", params{p("b")}, "a; b"}, {"c", params{p("d"), p("e")}, "c;d ;e"}},
		"\ta\t;\tb\t=\tc\t":       {{"a", params{v("b", "c")}, "a\t;\tb\t=\tc"}},
		" a ;\tb = 1 , , c ":      {{"a", params{v("b", "1")}, "a ;\tb = 1"}, {"c", nil, "c"}},
		",a,,b; c,":               {{"a", nil, "a"}, {"b", params{p("c")}, "b; c"}},
		`a; b="c"; d`:             {{"a", params{v("b", "c"), p("d")}, `a; b="c"; d`}},
		`a; b = "1\0" ,c`:         {{"a", params{v("b", "10")}, `a; b = "1\0"`}, {"c", nil, "c"}},
		`a; b="\1\2"`:             {{"a", params{v("b", "12")}, `a; b="\1\2"`}},
		"a, a; b=1; b":            {{"a", nil, "a"}, {"a", params{v("b", "1"), p("b")}, "a; b=1; b"}},
		"!#$%&'*+-.^_`|~09azAZ;x": {{"!#$%&'*+-.^_`|~09azAZ", params{p("x")}, "!#$%&'*+-.^_`|~09azAZ;x"}},
	} {
		got, err := ParseExtensions(header)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v, want %+v", header, got, err, want)
		}
	}
}

func TestParseExtensionsRefuses(t *testing.T) {
	for header, want := range map[string]string{
		";":             "byte 0: a token is missing",
		"a;":            "byte 2: a token is missing",
		"a;;b":          "byte 2: a token is missing",
		"a; ;b":         "byte 3: a token is missing",
		"a; b=":         "byte 5: a token is missing",
		"a; =b":         "byte 3: a token is missing",
		"a; b==1":       "byte 5: a token is missing",
		"a b":           "byte 2: allowed are",
		"a=b":           "byte 1: allowed are",
		"a; b c":        "byte 5: allowed are",
		"a; b=c d":      "byte 7: allowed are",
		`a; b="c"d`:     "byte 8: allowed are",
		`"a"`:           "byte 0: a token is missing",
		`a; b="`:        "byte 6: the closing quote is missing",
		`a; b="c`:       "byte 7: the closing quote is missing",
		`a; b="c\"`:     "byte 8: a quoted value must be a token",
		`a; b="c\`:      "byte 7: a quoted value must be a token",
		`a; b=""`:       "byte 6: a quoted value must be a token",
		`a; b="c d"`:    "byte 7: a quoted value must be a token",
		`a; b="c,d"`:    "byte 7: a quoted value must be a token",
		"a; b=\xe4":     "byte 5: a token is missing",
		"\x00":          "byte 0: a token is missing",
		"a\x00":         "byte 1: allowed are",
		"a\x7f":         "byte 1: allowed are",
		"a\nb":          "byte 1: allowed are",
		"a\r\n":         "byte 1: allowed are",
		"f\u00f6\u00f6": "byte 1: allowed are",
	} {
		got, err := ParseExtensions(header)
		if err == nil || !strings.Contains(err.Error(), "RFC 6455 section 9.1 at "+want) {
			t.Errorf("%q: got %+v, %v, want an error with %s", header, got, err, want)
		}
	}
}

// FuzzParseExtensions writes what was parsed in another form, and expects the
// same from it; and the same again from the elements' texts.
func FuzzParseExtensions(f *testing.F) {
	for _, header := range []string{
		"", ",", " , \t,", "permessage-deflate", "permessage-deflate; client_max_window_bits",
		`permessage-deflate; server_max_window_bits="1\0"`, `x; a = "b" ; c, , y;d=e`, `x; a=""`, `x; a="b`, `x; a="\`,
		`x;`, `x; =a`, `x y`, `x; a=b c`, "x\r\n", "\u00e9", "x; a=\"\xff\"", "x\x00", `x; a="b"c`, "x;a;a;a=b",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		list, err := ParseExtensions(header)
		if err != nil {
			return
		}
		var quoted strings.Builder
		var texts []string
		for _, e := range list {
			if !strings.HasPrefix(e.Text, e.Name) || !strings.Contains(header, e.Text) {
				t.Fatalf("%q has the element %+v", header, e)
			}
			texts = append(texts, e.Text)
			quoted.WriteString(" ,," + e.Name)
			for _, p := range e.Params {
				quoted.WriteString("\t;" + p.Name)
				if p.Set {
					quoted.WriteString(` = "` + p.Value + `"`)
				}
			}
		}
		again, err := ParseExtensions(strings.Join(texts, ", "))
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%q: %+v, and as %q: %+v, %v", header, list, texts, again, err)
		}
		again, err = ParseExtensions(quoted.String())
		for i := range again {
			if i < len(list) {
				again[i].Text = list[i].Text
			}
		}
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%q: %+v, and as %q: %+v, %v", header, list, quoted.String(), again, err)
		}
	})
}
