package interop

import (
	"fmt"
	"strings"
)

// subprotocol is the one that every server speaks.
const subprotocol = "v1.wsflow"

// A setting is what a server insists on where permessage-deflate is offered.
// The zero setting insists on nothing.
type setting struct {
	off                              bool
	serverNoContext, clientNoContext bool
	serverBits, clientBits           int
}

var (
	off      = setting{off: true}
	standard = setting{}
)

// contextSettings are the combinations of context modes.
var contextSettings = []setting{
	standard,
	{serverNoContext: true},
	{clientNoContext: true},
	{serverNoContext: true, clientNoContext: true},
}

// windowSizes are all sizes in bits, from the least on. The race detector, under
// which a connection takes ten times as long, sees no more with one size than
// with another: it gets the least and the largest.
func windowSizes(least int) (all []int) {
	if raceDetector {
		return []int{least, 15}
	}
	for bits := least; bits <= 15; bits++ {
		all = append(all, bits)
	}
	return all
}

// windowSettings are the windows that a server may want, from so many bits on:
// each size for either side alone, and for both.
func windowSettings(least int) (all []setting) {
	for _, bits := range windowSizes(least) {
		all = append(all, setting{serverBits: bits}, setting{clientBits: bits}, setting{serverBits: bits, clientBits: least + 15 - bits})
	}
	return all
}

// String returns the setting as the programs read it.
func (s setting) String() string {
	if s.off {
		return "off"
	}
	parts := []string{"permessage-deflate"}
	if s.serverNoContext {
		parts = append(parts, "server_no_context_takeover")
	}
	if s.clientNoContext {
		parts = append(parts, "client_no_context_takeover")
	}
	if s.serverBits > 0 {
		parts = append(parts, fmt.Sprintf("server_max_window_bits=%d", s.serverBits))
	}
	if s.clientBits > 0 {
		parts = append(parts, fmt.Sprintf("client_max_window_bits=%d", s.clientBits))
	}
	return strings.Join(parts, "; ")
}
