package stream

import (
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestFieldsAreTheHeader(t *testing.T) {
	for name, header := range map[string]http.Header{
		"nil":          nil,
		"of an answer": {"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}},
		"several":      {"Set-Cookie": {"a=1", "", "b=2"}, "X": {"1"}},
		"odd":          {"": {""}, "with space": {"\x00\r\n: ü"}, "lower": {"1", "1"}},
		"long":         {"X": {strings.Repeat("x", 70000), "y"}, strings.Repeat("N", 200): {"z"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newFields(header).header(); !reflect.DeepEqual(got, header) {
				t.Errorf("%q comes back as %q", header, got)
			}
		})
	}
}

func TestFieldsLeaveOutNamesWithoutValues(t *testing.T) {
	got := newFields(http.Header{"A": nil, "B": {}, "C": {"1"}}).header()
	if want := (http.Header{"C": {"1"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("%q is left, want %q", got, want)
	}
}

// A program may do with the header what it likes, and so may whoever gave it.
func TestTheHeaderIsACopy(t *testing.T) {
	given := http.Header{"A": {"1"}, "B": {"2"}}
	want := maps.Clone(given)
	f := newFields(given)
	delete(given, "A")
	f.header().Add("B", "3")
	if got := f.header(); !reflect.DeepEqual(got, want) {
		t.Errorf("the header is %q, want %q", got, want)
	}
}
