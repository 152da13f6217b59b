// Package deflate compresses messages: the permessage-deflate extension as an
// operator of a connection. Package dial offers it by default.
//
//	conn, err := dial.Dial(ctx, url, &dial.Options{
//		Operators: dial.DefaultOperators(deflate.New(&deflate.Options{Level: 9})),
//	})
//	if err != nil {
//		return err
//	}
//	if state, ok := deflate.Of(conn); ok { // the server has agreed
//		defer func() { fmt.Printf("%+v\n", state.Sent()) }()
//	}
//
// The operator of [New] is offered in the opening handshake, and does nothing if the
// server does not agree to it. A server hands the client's offers to
// [Operator.Negotiate]. [Of] shows what was agreed on and how much it saves.
//
// By default messages may refer back to earlier ones ("context takeover"). Then a
// connection keeps the last 2^bits bytes that it received and the last 2^bits bytes
// that it sent: 32 KiB each, unless smaller windows are agreed on. At the fastest
// level it keeps three quarters of what it sent, and an index of that. Encoders and
// decoders are borrowed while a message is under way. Without context takeover
// nothing is kept.
//
// https://www.rfc-editor.org/rfc/rfc7692.html
package deflate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A ContextMode says whether the messages of one direction may refer back to
// earlier ones.
type ContextMode uint8

const (
	// Takeover keeps a window of the direction's bytes from message to
	// message: short messages that are alike become much smaller.
	Takeover ContextMode = iota
	// NoTakeover begins each message anew, and keeps nothing in between.
	NoTakeover
)

// String returns the mode's name.
func (m ContextMode) String() string {
	switch m {
	case Takeover:
		return "takeover"
	case NoTakeover:
		return "no takeover"
	}
	return fmt.Sprintf("ContextMode(%d)", uint8(m))
}

// A Setup is one set of parameters. Local means what this side sends, peer
// what it receives, whether it is the client or the server. The zero Setup
// asks for nothing: 32 KiB windows that are kept, smaller ones if the peer
// wishes.
type Setup struct {
	// LocalContextMode is kept in any case; the peer may also ask for
	// NoTakeover.
	LocalContextMode ContextMode
	// PeerContextMode NoTakeover is asked of the peer, who must agree.
	PeerContextMode ContextMode
	// LocalMaxWindowBits is the size of the window that this side compresses
	// with, as its binary logarithm: from 8 (256 bytes) to 15 (32 KiB). Zero is
	// 15, or less if the peer asks for it; a client that says 15 does not let
	// the server ask for less.
	LocalMaxWindowBits int
	// PeerMaxWindowBits is the same for the peer, who must agree. It bounds the
	// memory that this side keeps. Zero is 15.
	PeerMaxWindowBits int
}

// Options adjust an [Operator]. A nil *Options, and the zero value, is the
// offer "permessage-deflate; client_max_window_bits". New copies what it is
// given.
type Options struct {
	// Setups are offered best first; none at all is the zero Setup. A server
	// takes the first one that suits an offer.
	Setups []Setup
	// AcceptLargerPeerWindow accepts a peer that does not agree to PeerMaxWindowBits,
	// or agrees to more than that. It costs up to 32 KiB of memory.
	AcceptLargerPeerWindow bool
	// Threshold is the size in bytes below which messages are sent as they are. Zero
	// is 32 with context takeover, and 256 without; negative is no threshold. A message
	// of several pieces, such as one of more than 16 KiB from a Writer, is compressed
	// in any case: its size is not known when it begins.
	Threshold int
	// Level is from 1, the fastest, to 9, the smallest. Zero is 1 for windows
	// of 32 KiB and 5 for smaller ones, which gain more by a thorough search.
	// For these, 2 to 9 are one level.
	Level int
}

// An Operator offers permessage-deflate in opening handshakes, for any number of
// connections, also at the same time. One that [Operator.Accept] or
// [Operator.Negotiate] returned compresses for the one connection of that handshake.
// An Operator is never modified.
type Operator struct {
	options Options
	agreed  *Setup // all fields set; nil before negotiation
}

var (
	_ stream.Negotiator = (*Operator)(nil)
	_ stream.Validator  = (*Operator)(nil)
)

// New returns an operator to offer. Options out of range are reported by
// [Operator.Validate], and when a connection is made.
func New(opts *Options) *Operator {
	o := new(Operator)
	if opts != nil {
		o.options = *opts
	}
	o.options.Setups = slices.Clone(o.options.Setups)
	if len(o.options.Setups) == 0 {
		o.options.Setups = []Setup{{}}
	}
	return o
}

// Validate returns a *result.ArgumentError for the first option that cannot be
// used.
func (o *Operator) Validate() error {
	for i, s := range o.options.Setups {
		if err := s.validate(fmt.Sprintf("deflate.Options.Setups[%d].", i)); err != nil {
			return err
		}
	}
	if l := o.options.Level; l < 0 || l > 9 {
		return &result.ArgumentError{Name: "deflate.Options.Level", Value: l, Allowed: "from 1 to 9, or 0 for the default"}
	}
	return nil
}

func (s Setup) validate(prefix string) error {
	for _, m := range []struct {
		name string
		mode ContextMode
	}{{"LocalContextMode", s.LocalContextMode}, {"PeerContextMode", s.PeerContextMode}} {
		if m.mode != Takeover && m.mode != NoTakeover {
			return &result.ArgumentError{Name: prefix + m.name, Value: m.mode, Allowed: "Takeover or NoTakeover"}
		}
	}
	for _, b := range []struct {
		name string
		bits int
	}{{"LocalMaxWindowBits", s.LocalMaxWindowBits}, {"PeerMaxWindowBits", s.PeerMaxWindowBits}} {
		if b.bits != 0 && (b.bits < minWindowBits || b.bits > maxWindowBits) {
			return &result.ArgumentError{Name: prefix + b.name, Value: b.bits, Allowed: "from 8 to 15, or 0 for the default"}
		}
	}
	return nil
}

// Offers returns one element for the client's Sec-WebSocket-Extensions header
// for each setup, best first.
func (o *Operator) Offers() []string {
	var offers []string
	for _, s := range o.options.Setups {
		offers = append(offers, s.offer().element())
	}
	return offers
}

// Accept returns the operator for a client whose offers got this answer, an element
// of the server's Sec-WebSocket-Extensions header. It may answer any of the offers.
// If it fits none, the error names the parameter that the best offer does not allow.
func (o *Operator) Accept(answer string) (stream.Operator, error) {
	elements, err := wire.ParseExtensions(answer)
	if err != nil {
		return nil, fmt.Errorf("permessage-deflate: answer %q: %w", answer, err)
	}
	if len(elements) != 1 || elements[0].Name != extensionName {
		return nil, fmt.Errorf("permessage-deflate: answer %q: allowed is %s, once", answer, extensionName)
	}
	t, err := parseTerms(elements[0].Params, false)
	if err != nil {
		return nil, fmt.Errorf("permessage-deflate: answer %q: %w", answer, err)
	}
	var first error
	for _, s := range o.options.Setups {
		agreed, err := s.acceptAnswer(t, o.options.AcceptLargerPeerWindow)
		if err == nil {
			return o.with(agreed), nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("permessage-deflate: answer %q: %w", answer, first)
}

// Negotiate is what a server does with the client's offers, the values of its
// Sec-WebSocket-Extensions headers: it returns the operator for the connection
// and the element to answer with. The first offer that suits a setup is taken;
// ok is false if none does. Offers that break the rules, and other extensions,
// are passed over. A header that cannot be parsed is an error, and so are
// options that [Operator.Validate] does not allow.
func (o *Operator) Negotiate(offers ...string) (op *Operator, answer string, ok bool, err error) {
	if err := o.Validate(); err != nil {
		return nil, "", false, err
	}
	var all []wire.Extension
	for _, header := range offers {
		elements, err := wire.ParseExtensions(header)
		if err != nil {
			return nil, "", false, fmt.Errorf("permessage-deflate: offer %q: %w", header, err)
		}
		all = append(all, elements...)
	}
	for _, e := range all {
		if e.Name != extensionName {
			continue
		}
		t, err := parseTerms(e.Params, true)
		if err != nil {
			continue
		}
		for _, s := range o.options.Setups {
			if agreed, answer, ok := s.acceptOffer(t, o.options.AcceptLargerPeerWindow); ok {
				return o.with(agreed), answer.element(), true, nil
			}
		}
	}
	return nil, "", false, nil
}

// with returns the operator for a connection that agreed on this.
func (o *Operator) with(agreed Setup) *Operator {
	return &Operator{options: o.options, agreed: &agreed}
}

// Attach prepares the operator for its connection. It fails for an operator
// that neither Accept nor Negotiate returned.
func (o *Operator) Attach(link *stream.Link) (stream.Hooks, error) {
	if o.agreed == nil {
		return stream.Hooks{}, errors.New("permessage-deflate: attached without being negotiated")
	}
	state := &State{agreed: *o.agreed}
	sender := newSender(state, o.options, link.Down)
	sender.frame = link.FragmentSize()
	return stream.Hooks{
		In:    newReceiver(state).in,
		Out:   sender.out,
		RSV:   rsv1,
		State: state,
	}, nil
}

// rsv1 marks a message that is compressed.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6
const rsv1 = 4
