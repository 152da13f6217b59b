package stream

// A Type tells what a message or a frame is: its RFC 6455 opcode.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
type Type byte

// Messages are Text or Binary; Close, Ping and Pong are control frames, which
// only operators meet.
const (
	Text   Type = 0x1
	Binary Type = 0x2
	Close  Type = 0x8
	Ping   Type = 0x9
	Pong   Type = 0xA
)

// String returns the lower-case name of the type.
func (t Type) String() string {
	switch t {
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "reserved"
}

// A Role is the side of a connection: clients mask what they send, servers
// close TCP first.
type Role bool

// The two sides of a connection.
const (
	Client Role = false
	Server Role = true
)
