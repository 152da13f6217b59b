package interop

// What the page says of single peers. The tests hold all of it against what
// the peers do.

var (
	coderNotes = map[string]note{
		"deflate windows": {lacks: true, text: "The server has windows of 15 bits alone. It passes over an offer that asks for a " +
			"smaller one of its own, so that nothing is compressed; that ours is smaller need not be agreed on."},
	}
	gorillaNotes = map[string]note{
		"deflate contexts": {text: "Whatever is offered, both sides begin each message anew."},
		"deflate windows":  {lacks: true, text: largerWindow},
		"our Close":        {text: "It repeats the code and not the reason."},
	}
	gwsNotes = map[string]note{
		"deflate windows": {text: "It announces the windows that it was set up with, whatever was offered. We fail the handshake " +
			"where its own is larger than was asked for, unless `AcceptLargerPeerWindow` allows it, or where ours was not offered."},
		"subprotocol": {text: "It refuses a client if it speaks none of its subprotocols, with the status 400."},
		"our Close":   {text: "It answers codes below 3000 by 1000, and never gives a reason."},
		"its Close":   {text: "It cannot close without a code, and ends TCP without waiting for our Close."},
	}
	wsNotes = map[string]note{
		"deflate windows": {text: "Where it insists on a window larger than the one offered, it refuses the handshake with the status 400."},
	}
	websocketsNotes = map[string]note{
		"deflate windows": {text: "It agrees to a window of 8 bits for what it sends, but its zlib cannot compress with one: " +
			"it fails with the status 500 or, without context takeover, with the code 1011 at its first message."},
		"its Close": {text: "It cannot close without a code."},
	}
	autobahnNotes = map[string]note{
		"deflate windows": {text: "It refuses a handshake that offers a window of 8 bits, with the status 400."},
		"our Close":       {text: "It answers each code by 1000."},
		"its Close":       {text: "It cannot close with the protocol's own codes but 1000."},
	}
	aiohttpNotes = map[string]note{
		"deflate windows": {text: "It passes over an offer that asks for a window of 8 bits of its own, so that nothing is compressed."},
		"our Close":       {text: "It answers each code by 1000."},
		"its Close":       {text: "It cannot close without a code."},
	}
	tornadoNotes = map[string]note{
		"deflate contexts": {text: "It passes over parameters without a value. We fail the handshake where the server was to begin each message anew."},
		"deflate windows":  {text: "It fails with the status 500 where its own window was to have 8 bits."},
		"our Close":        {text: "It repeats the code and not the reason."},
	}
	mojoliciousNotes = map[string]note{
		"deflate contexts": {text: "It answers each offer without a parameter. We fail the handshake where the server was to begin each message anew."},
		"deflate windows":  {lacks: true, text: largerWindow},
	}
)

const largerWindow = "It has windows of 15 bits alone, whatever is offered. We fail the handshake where it was asked for a smaller " +
	"one, unless `AcceptLargerPeerWindow` allows it."
