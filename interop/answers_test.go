package interop

import "github.com/wsflow/wsflow/deflate"

// What each peer is known to make of an offer, written down by hand: from its
// source and its documentation.

func refused(because string) outcome { return outcome{refused: 101, because: because} }

// badRequest is the answer of a server that takes no connection rather than
// one without the extension.
var badRequest = outcome{refused: 400}

func orMax(bits int) int {
	if bits == 0 {
		return 15
	}
	return bits
}

func noTakeoverIf(yes bool) deflate.ContextMode {
	if yes {
		return deflate.NoTakeover
	}
	return deflate.Takeover
}

// contexts are the modes of a server that follows both sides' wishes.
func contexts(s setting, a ask) deflate.Setup {
	return deflate.Setup{
		LocalContextMode:   noTakeoverIf(s.clientNoContext || a.LocalContextMode == deflate.NoTakeover),
		PeerContextMode:    noTakeoverIf(s.serverNoContext || a.PeerContextMode == deflate.NoTakeover),
		LocalMaxWindowBits: orMax(a.LocalMaxWindowBits),
		PeerMaxWindowBits:  15,
	}
}

// tooLarge reports whether the server's window is more than was asked for.
func tooLarge(bits int, a ask) bool { return bits > orMax(a.PeerMaxWindowBits) && !a.larger }

// coder passes over an offer that asks for a window of the server's, and
// ignores the client's.
func coderAnswers(s setting, a ask) outcome {
	if orMax(a.PeerMaxWindowBits) < 15 {
		return outcome{}
	}
	return outcome{agreed: contexts(s, a)}
}

// gorilla gives one answer to all offers.
func gorillaAnswers(_ setting, a ask) outcome {
	if tooLarge(15, a) {
		return refused("server_max_window_bits")
	}
	return outcome{agreed: contexts(setting{serverNoContext: true, clientNoContext: true}, a)}
}

// gws follows the client in the context modes, and answers with windows of its
// own whatever was offered, but does not tell of those of 15 bits.
func gwsAnswers(s setting, a ask) outcome {
	switch {
	case s.clientBits > 0 && s.clientBits < 15 && a.LocalMaxWindowBits == 15:
		return refused("client_max_window_bits")
	case tooLarge(orMax(s.serverBits), a):
		return refused("server_max_window_bits")
	}
	agreed := contexts(s, a)
	agreed.PeerMaxWindowBits = orMax(s.serverBits)
	agreed.LocalMaxWindowBits = min(agreed.LocalMaxWindowBits, orMax(s.clientBits))
	return outcome{agreed: agreed}
}

// ws refuses the handshake where a window of its own is larger than the
// client's, or the client does not offer to have one.
func wsAnswers(s setting, a ask) outcome {
	if s.serverBits > orMax(a.PeerMaxWindowBits) || s.clientBits > 0 && a.LocalMaxWindowBits == 15 ||
		s.clientBits > orMax(a.LocalMaxWindowBits) {
		return badRequest
	}
	return outcome{agreed: narrowed(s, a)}
}

// narrowed has the smaller windows of both sides' wishes.
func narrowed(s setting, a ask) deflate.Setup {
	agreed := contexts(s, a)
	agreed.PeerMaxWindowBits = min(orMax(s.serverBits), orMax(a.PeerMaxWindowBits))
	if a.LocalMaxWindowBits != 15 { // which offers no window
		agreed.LocalMaxWindowBits = min(orMax(s.clientBits), orMax(a.LocalMaxWindowBits))
	}
	return agreed
}

// websockets negotiates everything, but its zlib has no raw window of 8 bits
// to compress with.
func websocketsAnswers(s setting, a ask) outcome {
	agreed := narrowed(s, a)
	if agreed.PeerMaxWindowBits > 8 {
		return outcome{agreed: agreed}
	}
	if agreed.PeerContextMode == deflate.NoTakeover { // it makes a compressor for each message
		return outcome{agreed: agreed, breaks: true}
	}
	return outcome{refused: 500}
}

// autobahn takes no 8 bits for a window, and does not tell of its own wishes
// for what it sends.
func autobahnAnswers(s setting, a ask) outcome {
	if a.PeerMaxWindowBits == 8 || a.LocalMaxWindowBits == 8 {
		return badRequest
	}
	s.serverNoContext, s.serverBits = false, 0
	return outcome{agreed: narrowed(s, a)}
}

// Mojolicious answers each offer without a parameter.
func mojoliciousAnswers(_ setting, a ask) outcome {
	switch {
	case a.PeerContextMode == deflate.NoTakeover:
		return refused("server_no_context_takeover")
	case tooLarge(15, a):
		return refused("server_max_window_bits")
	}
	return outcome{agreed: contexts(standard, a)}
}

// aiohttp takes the client's wishes for what the server sends, but for a window
// of 8 bits, and does not look at the others.
func aiohttpAnswers(_ setting, a ask) outcome {
	if a.PeerMaxWindowBits == 8 {
		return outcome{}
	}
	return outcome{agreed: narrowed(standard, a)}
}

// tornado repeats the parameters that have a value. Its zlib has no raw window
// of 8 bits to compress with.
func tornadoAnswers(_ setting, a ask) outcome {
	switch {
	case a.PeerMaxWindowBits == 8:
		return outcome{refused: 500}
	case a.PeerContextMode == deflate.NoTakeover:
		return refused("server_no_context_takeover")
	}
	return outcome{agreed: narrowed(standard, a)}
}
