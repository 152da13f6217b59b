package deflate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
)

// An answering is what a server with these setups makes of a client's offers.
type answering struct {
	section, name string
	setups        []Setup
	offers        []string // header by header
	answer        string   // "" where all offers are declined
	agreed        Setup
}

func (c answering) run(t *testing.T) {
	op, answer, ok, err := New(&Options{Setups: c.setups}).Negotiate(c.offers...)
	switch {
	case err != nil || ok != (c.answer != "") || answer != c.answer:
		t.Errorf("%q: the answer is %q, %t, %v, want %q", c.offers, answer, ok, err, c.answer)
	case ok && *op.agreed != c.agreed:
		t.Errorf("%q: agreed on %+v, want %+v", c.offers, *op.agreed, c.agreed)
	}
}

// An accepting is what a client with these setups makes of a server's answer.
type accepting struct {
	section, name string
	setups        []Setup
	answer        string
	agreed        Setup // the zero Setup where the client must fail
}

func (c accepting) run(t *testing.T) {
	op, err := New(&Options{Setups: c.setups}).Accept(c.answer)
	switch {
	case (err == nil) != (c.agreed != Setup{}):
		t.Errorf("%q: the error is %v", c.answer, err)
	case err == nil && *op.(*Operator).agreed != c.agreed:
		t.Errorf("%q: agreed on %+v, want %+v", c.answer, *op.(*Operator).agreed, c.agreed)
	}
}

// A client "can offer multiple PMCE choices to the server" and "lists [them] in
// order of preference": the server takes the first that it can, or none.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-5.1
func TestSection5_1Flow(t *testing.T) {
	const plain, small = "permessage-deflate", "permessage-deflate; server_max_window_bits=9"
	smallAgreed := Setup{Takeover, Takeover, 9, 15}
	for _, c := range []answering{
		{"5.1", "no offer", nil, nil, "", Setup{}},
		{"5.1", "an empty header", nil, []string{""}, "", Setup{}},
		{"5.1", "another extension alone", nil, []string{"permessage-bzip2"}, "", Setup{}},
		{"5.1", "a name in another case", nil, []string{"Permessage-Deflate"}, "", Setup{}},
		{"5.1", "the only offer", nil, []string{plain}, plain, defaults},
		{"5.1", "the first of two", nil, []string{small + ", " + plain}, small, smallAgreed},
		{"5.1", "the first of two, the other way round", nil, []string{plain + ", " + small}, plain, defaults},
		{"5.1", "the first of two headers", nil, []string{small, plain}, small, smallAgreed},
		{"5.1", "the second, where the first is another's", nil, []string{"permessage-bzip2; x=10, " + small}, small, smallAgreed},
		{"5.1", "the second, where the first is malformed", nil, []string{plain + "; server_max_window_bits=99, " + small}, small, smallAgreed},
		{"5.1", "the third, where the server cannot do the others", []Setup{{PeerMaxWindowBits: 10}},
			[]string{plain + ", " + small, plain + "; client_max_window_bits"}, plain + "; client_max_window_bits=10", Setup{Takeover, Takeover, 15, 10}},
		{"5.1", "none, where the server can do none", []Setup{{PeerMaxWindowBits: 10}}, []string{plain + ", " + small}, "", Setup{}},
	} {
		conformance.Case(t, c.section, "a server: "+c.name, c.run)
	}
	conformance.Case(t, "5.1", "a client offers in its order", func(t *testing.T) {
		got := New(&Options{Setups: []Setup{{PeerMaxWindowBits: 9, LocalMaxWindowBits: 15}, {LocalMaxWindowBits: 15}}}).Offers()
		if !slices.Equal(got, []string{small, plain}) {
			t.Errorf("the offers are %q", got)
		}
	})
	both := []Setup{{PeerMaxWindowBits: 9}, {PeerContextMode: NoTakeover}}
	for _, c := range []accepting{
		{"5.1", "the answer to its first offer", both, small, Setup{Takeover, Takeover, 15, 9}},
		{"5.1", "the answer to its second offer", both, plain + "; server_no_context_takeover", Setup{Takeover, NoTakeover, 15, 15}},
		{"5.1", "the answer to none of its offers", both, plain, Setup{}},
		{"5.1", "two answers", nil, plain + ", " + plain, Setup{}},
		{"5.1", "the answer of another extension", nil, "permessage-bzip2", Setup{}},
		{"5.1", "an answer in another case", nil, "PERMESSAGE-DEFLATE", Setup{}},
		{"5.1", "an answer that does not parse", nil, plain + "; =", Setup{}},
	} {
		conformance.Case(t, c.section, "a client: "+c.name, c.run)
	}
	conformance.Rule(t, "5.1", "an answer is to be had for each connection", func(t *testing.T) {
		if _, err := New(nil).Attach(nil); err == nil {
			t.Error("an operator that was not negotiated was attached")
		}
	})
}

// The examples, with permessage-deflate for permessage-foo.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-5.2
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.3
func TestSection5_2Examples(t *testing.T) {
	const plain, ten = "permessage-deflate", "permessage-deflate; client_max_window_bits; server_max_window_bits=10"
	for _, c := range []answering{
		{"5.2", "one offer", nil, []string{plain}, plain, defaults},
		{"5.2", "a parameter in quotes", nil, []string{plain + `; server_max_window_bits="10"`}, plain + "; server_max_window_bits=10", Setup{Takeover, Takeover, 10, 15}},
		{"5.2", "two extensions", nil, []string{"permessage-bar, " + plain}, plain, defaults},
		{"5.2", "with a parameter first, without as a fallback", nil, []string{plain + "; use_y, " + plain}, plain, defaults},
		{"7.1.3", "the simplest offer", nil, []string{"permessage-deflate"}, "permessage-deflate", defaults},
		{"7.1.3", "an offer of a 1,024-byte window", nil, []string{ten}, plain + "; server_max_window_bits=10", Setup{Takeover, Takeover, 10, 15}},
		{"7.1.3", "an offer of a 1,024-byte window with a fallback", nil, []string{ten + ", " + plain + "; client_max_window_bits"}, plain + "; server_max_window_bits=10", Setup{Takeover, Takeover, 10, 15}},
		{"7.1.3", "an offer of a 1,024-byte window that suits", []Setup{{LocalMaxWindowBits: 10, LocalContextMode: NoTakeover}}, []string{ten},
			plain + "; server_no_context_takeover; server_max_window_bits=10", Setup{NoTakeover, Takeover, 10, 15}},
	} {
		conformance.Case(t, c.section, "a server: "+c.name, c.run)
	}
	conformance.Case(t, "7.1.3", "a client: the answer to the fallback", accepting{
		setups: []Setup{{PeerMaxWindowBits: 10}, {}}, answer: plain, agreed: defaults}.run)
	conformance.Case(t, "7.1.3", "a client: the answer with a 1,024-byte window", accepting{
		setups: []Setup{{PeerMaxWindowBits: 10}, {}}, answer: plain + "; server_max_window_bits=10", agreed: Setup{Takeover, Takeover, 15, 10}}.run)
}

// A server "MUST decline", and a client "MUST _Fail the WebSocket Connection_",
// where there is "an extension parameter not defined for use", one "with an
// invalid value", or "multiple extension parameters with the same name".
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1
func TestSection7_1Parameters(t *testing.T) {
	bad := []string{"x", "x=1", "server_max_window_bits=10; x", "Server_No_Context_Takeover", "server-no-context-takeover"}
	for _, flag := range []string{"server_no_context_takeover", "client_no_context_takeover"} {
		bad = append(bad, flag+"=1", flag+"=true", flag+`="x"`, flag+"; "+flag)
	}
	for _, bits := range []string{"server_max_window_bits", "client_max_window_bits"} {
		for _, value := range []string{"0", "1", "7", "16", "15.", "-8", "+8", "08", "008", "0x9", "1e1", "ten", "80", "4294967304"} {
			bad = append(bad, bits+"="+value, bits+`="`+value+`"`)
		}
		bad = append(bad, bits+"=10; "+bits+"=10", bits+"=10; "+bits+"=11")
	}
	for _, parameters := range append(bad, "server_max_window_bits", "client_max_window_bits; client_max_window_bits=9") {
		conformance.Case(t, "7.1", "a server declines "+parameters, answering{offers: []string{"permessage-deflate; " + parameters}}.run)
	}
	for _, parameters := range append(bad, "server_max_window_bits", "client_max_window_bits") {
		conformance.Case(t, "7.1", "a client fails at "+parameters, accepting{answer: "permessage-deflate; " + parameters}.run)
	}
}

// "By including this extension parameter in an extension negotiation offer, a
// client prevents the peer server from using context takeover." Either side may
// bring the parameters in.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.1
func TestSection7_1_1Negotiation(t *testing.T) {
	const e, server, client = "permessage-deflate", "; server_no_context_takeover", "; client_no_context_takeover"
	quiet := func(local, peer ContextMode) Setup { return Setup{local, peer, 15, 15} }
	for _, c := range []answering{
		{"7.1.1.1", "asked for", nil, []string{e + server}, e + server, quiet(NoTakeover, Takeover)},
		{"7.1.1.1", "not asked for", []Setup{{LocalContextMode: NoTakeover}}, []string{e}, e + server, quiet(NoTakeover, Takeover)},
		{"7.1.1.1", "wished and asked for", []Setup{{LocalContextMode: NoTakeover}}, []string{e + server}, e + server, quiet(NoTakeover, Takeover)},
		{"7.1.1.2", "hinted at", nil, []string{e + client}, e + client, quiet(Takeover, NoTakeover)},
		{"7.1.1.2", "demanded", []Setup{{PeerContextMode: NoTakeover}}, []string{e}, e + client, quiet(Takeover, NoTakeover)},
		{"7.1.1.2", "both ways", nil, []string{e + server + client}, e + server + client, quiet(NoTakeover, NoTakeover)},
	} {
		conformance.Case(t, c.section, "a server: "+c.name, c.run)
	}
	for _, c := range []accepting{
		{"7.1.1.1", "asked for and granted", []Setup{{PeerContextMode: NoTakeover}}, e + server, quiet(Takeover, NoTakeover)},
		{"7.1.1.1", "asked for and ignored", []Setup{{PeerContextMode: NoTakeover}}, e, Setup{}},
		{"7.1.1.1", "not asked for", nil, e + server, quiet(Takeover, NoTakeover)},
		{"7.1.1.2", "hinted at and confirmed", []Setup{{LocalContextMode: NoTakeover}}, e + client, quiet(NoTakeover, Takeover)},
		{"7.1.1.2", "hinted at and ignored", []Setup{{LocalContextMode: NoTakeover}}, e, quiet(NoTakeover, Takeover)},
		{"7.1.1.2", "demanded", nil, e + client, quiet(NoTakeover, Takeover)},
	} {
		conformance.Case(t, c.section, "a client: "+c.name, c.run)
	}
}

// A server accepts "with the same or smaller value as the offer". "If a received
// extension negotiation offer doesn't have the "client_max_window_bits"
// extension parameter, the corresponding extension negotiation response to the
// offer MUST NOT include" it.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.2
func TestSection7_1_2Negotiation(t *testing.T) {
	const e = "permessage-deflate"
	for offered := 8; offered <= 15; offered++ {
		for own := 8; own <= 15; own++ {
			n := min(offered, own)
			server := fmt.Sprintf("%s; server_max_window_bits=%d", e, offered)
			conformance.Case(t, "7.1.2.1", fmt.Sprintf("a server that does %d: offered %d", own, offered), answering{
				setups: []Setup{{LocalMaxWindowBits: own}}, offers: []string{server},
				answer: fmt.Sprintf("%s; server_max_window_bits=%d", e, n), agreed: Setup{Takeover, Takeover, n, 15}}.run)
			wanted := accepting{setups: []Setup{{PeerMaxWindowBits: own}}, answer: server, agreed: Setup{Takeover, Takeover, 15, offered}}
			if offered > own {
				wanted.agreed = Setup{}
			}
			conformance.Case(t, "7.1.2.1", fmt.Sprintf("a client that offered %d: answered %d", own, offered), wanted.run)
			client := fmt.Sprintf("%s; client_max_window_bits=%d", e, offered)
			answer := fmt.Sprintf("%s; client_max_window_bits=%d", e, n)
			if n == 15 {
				answer = e
			}
			conformance.Case(t, "7.1.2.2", fmt.Sprintf("a server that wants %d: offered %d", own, offered), answering{
				setups: []Setup{{PeerMaxWindowBits: own}}, offers: []string{client}, answer: answer, agreed: Setup{Takeover, Takeover, 15, n}}.run)
		}
		conformance.Case(t, "7.1.2.2", fmt.Sprintf("a client that left it open: answered %d", offered), accepting{
			answer: fmt.Sprintf("%s; client_max_window_bits=%d", e, offered), agreed: Setup{Takeover, Takeover, offered, 15}}.run)
		conformance.Case(t, "7.1.2.2", fmt.Sprintf("a client that did not offer it: answered %d", offered), accepting{
			setups: []Setup{{LocalMaxWindowBits: 15}}, answer: fmt.Sprintf("%s; client_max_window_bits=%d", e, offered)}.run)
		conformance.Case(t, "7.1.2.2", fmt.Sprintf("a server that wants %d: not offered", offered), func(t *testing.T) {
			_, answer, ok, err := New(&Options{Setups: []Setup{{PeerMaxWindowBits: offered}}}).Negotiate(e)
			if err != nil || ok != (offered == 15) || strings.Contains(answer, "client_max_window_bits") {
				t.Errorf("the answer is %q, %t, %v", answer, ok, err)
			}
		})
	}
	conformance.Case(t, "7.1.2.1", "a client that offered 10: no answer to it", accepting{setups: []Setup{{PeerMaxWindowBits: 10}}, answer: e}.run)
}

// A connection on which nothing was agreed compresses nothing and fails at a
// message that is marked as compressed.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6
func TestSection6NotNegotiated(t *testing.T) {
	for name, f := range map[string]script.Frame{
		"a text": packed(script.Text("\x00")), "a binary": packed(script.Binary("\x00")),
		"an empty frame": packed(script.Text("")), "a first fragment": packed(script.Text("\x00").Open()),
	} {
		inBothRoles(t, "6", "RSV1 on "+name+" where nothing was negotiated", func(t *testing.T, s side) {
			p := script.Start(t, s.role, nil, nil)
			app := takeAll(p.Conn)
			p.Sends(f)
			p.WantsClose(1002)
			app.fails(t, 1002)
		})
	}
}
