package deflate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wsflow/wsflow/internal/wire"
)

const (
	extensionName = "permessage-deflate"

	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"

	minWindowBits = 8
	maxWindowBits = 15
)

// Terms are the parameters of one offer or answer. Window bits are 0 where the
// parameter is missing.
type terms struct {
	serverNoContext, clientNoContext bool
	serverBits, clientBits           int
}

// anyBits is the client_max_window_bits of an offer that leaves the value to
// the server.
const anyBits = -1

// parseTerms reads the parameters of an offer, or of an answer.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1
func parseTerms(parameters []wire.ExtensionParam, offer bool) (t terms, err error) {
	for i, p := range parameters {
		for _, earlier := range parameters[:i] {
			if p.Name == earlier.Name {
				return t, fmt.Errorf("parameter %s is there twice", p.Name)
			}
		}
		switch p.Name {
		case serverNoContextTakeover:
			t.serverNoContext, err = parseFlag(p)
		case clientNoContextTakeover:
			t.clientNoContext, err = parseFlag(p)
		case serverMaxWindowBits:
			t.serverBits, err = parseBits(p)
		case clientMaxWindowBits:
			if offer && !p.Set {
				t.clientBits = anyBits
				break
			}
			t.clientBits, err = parseBits(p)
		default:
			err = fmt.Errorf("unknown parameter %s", p)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func parseFlag(p wire.ExtensionParam) (bool, error) {
	if p.Set {
		return false, fmt.Errorf("parameter %s: allowed is no value", p)
	}
	return true, nil
}

// parseBits reads "a decimal integer value without leading zeroes between 8
// to 15, inclusive".
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.2.1
func parseBits(p wire.ExtensionParam) (int, error) {
	n, err := strconv.Atoi(p.Value)
	if err != nil || strconv.Itoa(n) != p.Value || n < minWindowBits || n > maxWindowBits {
		return 0, fmt.Errorf("parameter %s: allowed is a value from 8 to 15", p)
	}
	return n, nil
}

// element writes the terms as an element of the header.
func (t terms) element() string {
	parts := []string{extensionName}
	add := func(there bool, part string) {
		if there {
			parts = append(parts, part)
		}
	}
	add(t.serverNoContext, serverNoContextTakeover)
	add(t.clientNoContext, clientNoContextTakeover)
	add(t.serverBits > 0, serverMaxWindowBits+"="+strconv.Itoa(t.serverBits))
	add(t.clientBits > 0, clientMaxWindowBits+"="+strconv.Itoa(t.clientBits))
	add(t.clientBits == anyBits, clientMaxWindowBits)
	return strings.Join(parts, "; ")
}

// offer returns what a client asks for with this setup.
func (s Setup) offer() terms {
	t := terms{
		serverNoContext: s.PeerContextMode == NoTakeover,
		clientNoContext: s.LocalContextMode == NoTakeover,
		serverBits:      s.PeerMaxWindowBits,
		clientBits:      s.LocalMaxWindowBits,
	}
	switch s.LocalMaxWindowBits {
	case 0:
		t.clientBits = anyBits
	case maxWindowBits:
		t.clientBits = 0
	}
	return t
}

// acceptAnswer returns what a client has agreed on with a server that gave
// this answer to the setup's offer.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1
func (s Setup) acceptAnswer(t terms, largerPeerWindow bool) (agreed Setup, err error) {
	agreed = Setup{
		LocalContextMode:   noTakeoverIf(t.clientNoContext || s.LocalContextMode == NoTakeover),
		PeerContextMode:    noTakeoverIf(t.serverNoContext),
		LocalMaxWindowBits: min(orMax(s.LocalMaxWindowBits), orMax(t.clientBits)),
		PeerMaxWindowBits:  orMax(t.serverBits),
	}
	switch {
	case t.clientBits > 0 && s.offer().clientBits == 0:
		// "If a received extension negotiation offer doesn't have the
		// "client_max_window_bits" extension parameter, the corresponding
		// extension negotiation response to the offer MUST NOT include the
		// "client_max_window_bits" extension parameter."
		return agreed, fmt.Errorf("parameter %s=%d was not offered", clientMaxWindowBits, t.clientBits)
	case s.PeerContextMode == NoTakeover && !t.serverNoContext:
		return agreed, fmt.Errorf("parameter %s was offered and is missing", serverNoContextTakeover)
	case agreed.PeerMaxWindowBits > orMax(s.PeerMaxWindowBits) && !largerPeerWindow:
		if t.serverBits == 0 {
			return agreed, fmt.Errorf("parameter %s=%d was offered and is missing", serverMaxWindowBits, s.PeerMaxWindowBits)
		}
		return agreed, fmt.Errorf("parameter %s=%d: allowed is a value from 8 to %d, which was offered",
			serverMaxWindowBits, t.serverBits, s.PeerMaxWindowBits)
	}
	return agreed, nil
}

// acceptOffer returns what a server agrees on with a client that made this
// offer, and the terms of its answer, or false if the offer cannot be had with
// this setup.
func (s Setup) acceptOffer(t terms, largerPeerWindow bool) (agreed Setup, answer terms, ok bool) {
	agreed = Setup{
		LocalContextMode:   noTakeoverIf(t.serverNoContext || s.LocalContextMode == NoTakeover),
		PeerContextMode:    noTakeoverIf(t.clientNoContext || s.PeerContextMode == NoTakeover),
		LocalMaxWindowBits: min(orMax(s.LocalMaxWindowBits), orMax(t.serverBits)),
		PeerMaxWindowBits:  min(orMax(s.PeerMaxWindowBits), orMax(t.clientBits)),
	}
	if t.clientBits == 0 && agreed.PeerMaxWindowBits < maxWindowBits {
		if !largerPeerWindow {
			return agreed, answer, false
		}
		agreed.PeerMaxWindowBits = maxWindowBits
	}
	answer = terms{
		serverNoContext: agreed.LocalContextMode == NoTakeover,
		clientNoContext: agreed.PeerContextMode == NoTakeover,
		serverBits:      agreed.LocalMaxWindowBits,
		clientBits:      agreed.PeerMaxWindowBits,
	}
	if answer.serverBits == maxWindowBits && t.serverBits == 0 {
		answer.serverBits = 0
	}
	if answer.clientBits == maxWindowBits {
		answer.clientBits = 0
	}
	return agreed, answer, true
}

func noTakeoverIf(yes bool) ContextMode {
	if yes {
		return NoTakeover
	}
	return Takeover
}

// orMax returns the window bits, or 15 where there are none.
func orMax(bits int) int {
	if bits <= 0 {
		return maxWindowBits
	}
	return bits
}
