package dial

import (
	"errors"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A testExtension is an operator that negotiates; it turns into one that holds
// the answer.
type testExtension struct {
	offers []string
	answer string
}

func (testExtension) Attach(*stream.Link) (stream.Hooks, error) { return stream.Hooks{}, nil }

func (e testExtension) Offers() []string { return e.offers }

func (e testExtension) Accept(answer string) (stream.Operator, error) {
	if strings.Contains(answer, "hated") {
		return nil, errors.New("hated parameter")
	}
	return testExtension{answer: answer}, nil
}

// A plain operator takes no part in the handshake.
type plain struct{ name string }

func (plain) Attach(*stream.Link) (stream.Hooks, error) { return stream.Hooks{}, nil }

func TestNegotiate(t *testing.T) {
	x, y := testExtension{offers: []string{"x; a", "x"}}, testExtension{offers: []string{"y"}}
	list := []stream.Operator{plain{"first"}, x, plain{"second"}, y, plain{"third"}}
	o, err := newOffer(list)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the offer", o.header, "x; a, x, y")
	for answer, operators := range map[string]string{
		"":        "[{first} {second} {third}]",
		"y":       "[{first} {second} {[] y} {third}]",
		"x; b":    "[{first} {[] x; b} {second} {third}]",
		"x, y; c": "[{first} {[] x} {second} {[] y; c} {third}]",
		"y; c, x": "[{first} {[] y; c} {second} {[] x} {third}]",
	} {
		got, err := o.negotiate([]string{answer})
		if err != nil {
			t.Errorf("%q: %v", answer, err)
		}
		want(t, "the list after "+answer, got, operators)
	}
	two, err := o.negotiate([]string{"y", "x"})
	want(t, "the list after two headers", two, "[{first} {[] y} {second} {[] x} {third}]")
	want(t, "the error after two headers", err, nil)
}

func TestNegotiateRefuses(t *testing.T) {
	o, err := newOffer([]stream.Operator{plain{"first"}, testExtension{offers: []string{"x", "y"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"z", "X", "x, x", "x, y", "x; hated", "x;", "first"} {
		if got, err := o.negotiate([]string{answer}); err == nil {
			t.Errorf("%q gives %v, want an error", answer, got)
		}
	}
}

func TestBadOffers(t *testing.T) {
	for _, offers := range [][]string{{""}, {"x, y"}, {"x;"}, {"x y"}, {"x\r\nCookie: a"}} {
		_, err := newOffer([]stream.Operator{testExtension{offers: offers}})
		var arg *result.ArgumentError
		if !errors.As(err, &arg) {
			t.Errorf("an operator that offers %q gives %v, want an ArgumentError", offers, err)
		}
	}
	_, err := newOffer([]stream.Operator{testExtension{offers: []string{"x"}}, testExtension{offers: []string{"x"}}})
	wantContains(t, "offering one extension twice", err, "Operators[1]", "Operators[0]")
}
