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

// windowSettings are some windows that a server may want.
var windowSettings = []setting{
	{serverBits: 10},
	{clientBits: 11},
	{serverBits: 9, clientBits: 12},
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
