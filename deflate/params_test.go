package deflate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/result"
)

func TestOffers(t *testing.T) {
	all := Setup{NoTakeover, NoTakeover, 10, 9}
	for _, test := range []struct {
		opts *Options
		want []string
	}{
		{nil, []string{"permessage-deflate; client_max_window_bits"}},
		{&Options{Setups: []Setup{}}, []string{"permessage-deflate; client_max_window_bits"}},
		{&Options{Setups: []Setup{all, {LocalMaxWindowBits: 15}, {PeerMaxWindowBits: 15, LocalMaxWindowBits: 8}}}, []string{
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10",
			"permessage-deflate",
			"permessage-deflate; server_max_window_bits=15; client_max_window_bits=8",
		}},
	} {
		if got := New(test.opts).Offers(); !slices.Equal(got, test.want) {
			t.Errorf("%+v: got %q, want %q", test.opts, got, test.want)
		}
	}
}

func TestNewCopiesOptions(t *testing.T) {
	opts := &Options{Setups: []Setup{{LocalMaxWindowBits: 10}}}
	o := New(opts)
	opts.Setups[0].LocalMaxWindowBits = 9
	if got := o.Offers()[0]; got != "permessage-deflate; client_max_window_bits=10" {
		t.Errorf("got %q", got)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		opts Options
		want string
	}{
		{Options{Setups: []Setup{{}, {LocalMaxWindowBits: 7}}}, "deflate.Options.Setups[1].LocalMaxWindowBits is 7: allowed is from 8 to 15, or 0 for the default"},
		{Options{Setups: []Setup{{PeerMaxWindowBits: 16}}}, "deflate.Options.Setups[0].PeerMaxWindowBits is 16: allowed is from 8 to 15, or 0 for the default"},
		{Options{Setups: []Setup{{PeerMaxWindowBits: -1}}}, "deflate.Options.Setups[0].PeerMaxWindowBits is -1: allowed is from 8 to 15, or 0 for the default"},
		{Options{Setups: []Setup{{LocalContextMode: 2}}}, "deflate.Options.Setups[0].LocalContextMode is ContextMode(2): allowed is Takeover or NoTakeover"},
		{Options{Setups: []Setup{{PeerContextMode: 9}}}, "deflate.Options.Setups[0].PeerContextMode is ContextMode(9): allowed is Takeover or NoTakeover"},
		{Options{Level: -1}, "deflate.Options.Level is -1: allowed is from 1 to 9, or 0 for the default"},
		{Options{Level: 10}, "deflate.Options.Level is 10: allowed is from 1 to 9, or 0 for the default"},
	} {
		err := New(&test.opts).Validate()
		var argument *result.ArgumentError
		if !errors.As(err, &argument) || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
		if _, _, ok, negotiated := New(&test.opts).Negotiate("permessage-deflate"); ok || negotiated == nil {
			t.Errorf("Negotiate with %+v: got ok %t and error %v", test.opts, ok, negotiated)
		}
	}
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		if err := New(&Options{Setups: []Setup{{LocalMaxWindowBits: bits, PeerMaxWindowBits: bits}}, Level: 9, Threshold: -1}).Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestAccept(t *testing.T) {
	for _, test := range []struct {
		opts   Options
		answer string
		want   Setup
	}{
		{Options{}, "permessage-deflate", Setup{Takeover, Takeover, 15, 15}},
		{Options{}, " permessage-deflate ;\tserver_max_window_bits = \"1\\0\" ", Setup{Takeover, Takeover, 15, 10}},
		{Options{}, "permessage-deflate; client_max_window_bits=8", Setup{Takeover, Takeover, 8, 15}},
		// A server may ask for what was not offered, except for client_max_window_bits.
		{Options{}, "permessage-deflate; server_no_context_takeover; client_no_context_takeover", Setup{NoTakeover, NoTakeover, 15, 15}},
		// What we promised holds without an answer to it.
		{Options{Setups: []Setup{{LocalContextMode: NoTakeover, LocalMaxWindowBits: 9}}}, "permessage-deflate", Setup{NoTakeover, Takeover, 9, 15}},
		// A server that allows us more than we asked for harms nobody.
		{Options{Setups: []Setup{{LocalMaxWindowBits: 10}}}, "permessage-deflate; client_max_window_bits=12", Setup{Takeover, Takeover, 10, 15}},
		{Options{Setups: []Setup{{PeerMaxWindowBits: 10}}}, "permessage-deflate; server_max_window_bits=9", Setup{Takeover, Takeover, 15, 9}},
		{Options{Setups: []Setup{{PeerMaxWindowBits: 15}}}, "permessage-deflate", Setup{Takeover, Takeover, 15, 15}},
		{Options{Setups: []Setup{{PeerMaxWindowBits: 10}}, AcceptLargerPeerWindow: true}, "permessage-deflate; server_max_window_bits=12", Setup{Takeover, Takeover, 15, 12}},
		{Options{Setups: []Setup{{PeerMaxWindowBits: 10}}, AcceptLargerPeerWindow: true}, "permessage-deflate", Setup{Takeover, Takeover, 15, 15}},
		// The best offer that the answer fits.
		{Options{Setups: []Setup{{NoTakeover, NoTakeover, 9, 9}, {LocalMaxWindowBits: 11}}}, "permessage-deflate", Setup{Takeover, Takeover, 11, 15}},
		{Options{Setups: []Setup{{NoTakeover, NoTakeover, 9, 9}, {}}}, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9", Setup{NoTakeover, NoTakeover, 9, 9}},
	} {
		op, err := New(&test.opts).Accept(test.answer)
		if err != nil {
			t.Errorf("%+v, %q: %v", test.opts, test.answer, err)
			continue
		}
		if got := *op.(*Operator).agreed; got != test.want {
			t.Errorf("%+v, %q: got %+v, want %+v", test.opts, test.answer, got, test.want)
		}
	}
}

func TestAcceptRefuses(t *testing.T) {
	small := Setup{PeerMaxWindowBits: 10}
	for _, test := range []struct {
		setup  Setup
		answer string
		want   string
	}{
		{Setup{}, "", "allowed is permessage-deflate, once"},
		{Setup{}, "x-webkit-deflate-frame", "allowed is permessage-deflate, once"},
		{Setup{}, "Permessage-Deflate", "allowed is permessage-deflate, once"},
		{Setup{}, "permessage-deflate, permessage-deflate", "allowed is permessage-deflate, once"},
		{Setup{}, "permessage-deflate; mode=x", "unknown parameter mode=x"},
		{Setup{}, "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", "parameter server_max_window_bits is there twice"},
		{Setup{}, "permessage-deflate; client_no_context_takeover; client_no_context_takeover", "parameter client_no_context_takeover is there twice"},
		{Setup{}, "permessage-deflate; client_no_context_takeover=1", "parameter client_no_context_takeover=1: allowed is no value"},
		{Setup{}, "permessage-deflate; server_no_context_takeover=true", "parameter server_no_context_takeover=true: allowed is no value"},
		{Setup{}, "permessage-deflate; server_max_window_bits", "parameter server_max_window_bits: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; client_max_window_bits", "parameter client_max_window_bits: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; server_max_window_bits=7", "parameter server_max_window_bits=7: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; server_max_window_bits=16", "parameter server_max_window_bits=16: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; client_max_window_bits=7", "parameter client_max_window_bits=7: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; client_max_window_bits=08", "parameter client_max_window_bits=08: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; client_max_window_bits=+8", "parameter client_max_window_bits=+8: allowed is a value from 8 to 15"},
		{Setup{}, "permessage-deflate; client_max_window_bits=x", "parameter client_max_window_bits=x: allowed is a value from 8 to 15"},
		{Setup{LocalMaxWindowBits: 15}, "permessage-deflate; client_max_window_bits=15", "parameter client_max_window_bits=15 was not offered"},
		{Setup{PeerContextMode: NoTakeover}, "permessage-deflate", "parameter server_no_context_takeover was offered and is missing"},
		{small, "permessage-deflate", "parameter server_max_window_bits=10 was offered and is missing"},
		{small, "permessage-deflate; server_max_window_bits=11", "parameter server_max_window_bits=11: allowed is a value from 8 to 10, which was offered"},
		{Setup{}, "permessage-deflate; =", "a token is missing"},
	} {
		o := New(&Options{Setups: []Setup{test.setup, {PeerMaxWindowBits: 8, LocalMaxWindowBits: 15, PeerContextMode: NoTakeover}}})
		op, err := o.Accept(test.answer)
		if op != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v, %q: got %v, %v, want an error with %s", test.setup, test.answer, op, err, test.want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for _, test := range []struct {
		setups []Setup
		offers []string
		answer string
		want   Setup
	}{
		{nil, []string{"permessage-deflate"}, "permessage-deflate", Setup{Takeover, Takeover, 15, 15}},
		{nil, []string{"permessage-deflate; client_max_window_bits"}, "permessage-deflate", Setup{Takeover, Takeover, 15, 15}},
		{nil, []string{"permessage-deflate; client_max_window_bits=15; server_max_window_bits=15"}, "permessage-deflate; server_max_window_bits=15", Setup{Takeover, Takeover, 15, 15}},
		{nil, []string{"permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"9\""}, "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10", Setup{Takeover, Takeover, 9, 10}},
		{nil, []string{"permessage-deflate; server_no_context_takeover"}, "permessage-deflate; server_no_context_takeover", Setup{NoTakeover, Takeover, 15, 15}},
		{nil, []string{"permessage-deflate; client_no_context_takeover"}, "permessage-deflate; client_no_context_takeover", Setup{Takeover, NoTakeover, 15, 15}},
		{[]Setup{{NoTakeover, NoTakeover, 10, 11}}, []string{"permessage-deflate; client_max_window_bits"},
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11", Setup{NoTakeover, NoTakeover, 10, 11}},
		{[]Setup{{PeerMaxWindowBits: 12}}, []string{"permessage-deflate; client_max_window_bits=9"}, "permessage-deflate; client_max_window_bits=9", Setup{Takeover, Takeover, 15, 9}},
		// The client's order of preference counts first, then ours.
		{[]Setup{{PeerMaxWindowBits: 9}, {}}, []string{"permessage-deflate, permessage-deflate; client_max_window_bits"}, "permessage-deflate", Setup{Takeover, Takeover, 15, 15}},
		{[]Setup{{PeerMaxWindowBits: 9}}, []string{"permessage-deflate, permessage-deflate; client_max_window_bits"}, "permessage-deflate; client_max_window_bits=9", Setup{Takeover, Takeover, 15, 9}},
		// What is broken is passed over.
		{nil, []string{"a; b, permessage-deflate; x", "permessage-deflate; server_max_window_bits, permessage-deflate; server_max_window_bits=8"},
			"permessage-deflate; server_max_window_bits=8", Setup{Takeover, Takeover, 8, 15}},
	} {
		op, answer, ok, err := New(&Options{Setups: test.setups}).Negotiate(test.offers...)
		if err != nil || !ok || answer != test.answer || *op.agreed != test.want {
			t.Errorf("%+v, %q: got %q, %t, %v, want %q", test.setups, test.offers, answer, ok, err, test.answer)
		}
	}
	op, answer, ok, err := New(&Options{Setups: []Setup{{PeerMaxWindowBits: 9}}, AcceptLargerPeerWindow: true}).Negotiate("permessage-deflate")
	if err != nil || !ok || answer != "permessage-deflate" || *op.agreed != (Setup{Takeover, Takeover, 15, 15}) {
		t.Errorf("a larger window accepted: got %q, %t, %v", answer, ok, err)
	}
}

func TestNegotiateDeclines(t *testing.T) {
	o := New(&Options{Setups: []Setup{{PeerMaxWindowBits: 9}}})
	for _, offers := range [][]string{nil, {""}, {"x"}, {"permessage-deflate"}, {"permessage-deflate; server_max_window_bits=16; client_max_window_bits"}} {
		if op, answer, ok, err := o.Negotiate(offers...); op != nil || answer != "" || ok || err != nil {
			t.Errorf("%q: got %v, %q, %t, %v", offers, op, answer, ok, err)
		}
	}
	if _, _, ok, err := o.Negotiate("permessage-deflate; client_max_window_bits", "permessage-deflate;"); ok || err == nil {
		t.Errorf("a header that cannot be parsed: got ok %t, error %v", ok, err)
	}
}

// TestBothSidesAgree lets every client setup of a kind negotiate with every
// server setup: what one side calls local the other calls peer.
func TestBothSidesAgree(t *testing.T) {
	var setups []Setup
	for _, local := range []ContextMode{Takeover, NoTakeover} {
		for _, peer := range []ContextMode{Takeover, NoTakeover} {
			for _, bits := range []int{0, 8, 12, 15} {
				setups = append(setups, Setup{local, peer, bits, 0}, Setup{local, peer, 0, bits}, Setup{local, peer, bits, 9})
			}
		}
	}
	agreements := 0
	for _, c := range setups {
		for _, s := range setups {
			client := New(&Options{Setups: []Setup{c}})
			server, answer, ok, err := New(&Options{Setups: []Setup{s}}).Negotiate(strings.Join(client.Offers(), ", "))
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				if c.LocalMaxWindowBits != 15 || s.PeerMaxWindowBits == 0 || s.PeerMaxWindowBits == 15 {
					t.Errorf("client %+v, server %+v: no agreement", c, s)
				}
				continue
			}
			op, err := client.Accept(answer)
			if err != nil {
				t.Fatalf("client %+v, server %+v: %v", c, s, err)
			}
			got, other := *op.(*Operator).agreed, *server.agreed
			if mirrored := (Setup{other.PeerContextMode, other.LocalContextMode, other.PeerMaxWindowBits, other.LocalMaxWindowBits}); got != mirrored {
				t.Errorf("client %+v, server %+v: the client has %+v, the server %+v", c, s, got, other)
			}
			agreements++
		}
	}
	if agreements == 0 {
		t.Error("nothing was agreed on")
	}
}

func TestContextModeString(t *testing.T) {
	if got := fmt.Sprint(Takeover, NoTakeover, ContextMode(7)); got != "takeover no takeover ContextMode(7)" {
		t.Errorf("got %q", got)
	}
}
