package stream

import (
	"strconv"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// A Type tells what a message or a frame is: its RFC 6455 opcode. A message
// that is to be sent may have the flag [Verbatim] beside it.
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

// Notice is the Type of a message that the library made, of a [Relay]: its Data is
// empty, and [Message.Gap] tells what happened. It is no opcode and is never sent.
const Notice Type = 0x10

// Verbatim is a flag of a message to be sent, as in Text|Verbatim: it asks
// operators to leave the message as it is, for example not to compress it.
// Messages that were received never have it.
const Verbatim Type = 0x80

// String returns the lower-case name of the type; the flag is left out.
func (t Type) String() string {
	switch t &^ Verbatim {
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
	case Notice:
		return "notice"
	}
	return "reserved"
}

// A Role is the side of a connection: clients mask what they send, servers
// close TCP first.
type Role uint8

// The two sides of a connection.
const (
	Client Role = iota
	Server
)

// String returns "client" or "server".
func (r Role) String() string {
	switch r {
	case Client:
		return "client"
	case Server:
		return "server"
	}
	return "Role(" + strconv.Itoa(int(r)) + ")"
}

// A Message is one whole message. It is a plain value; what it says of its
// bytes depends on where it came from:
//
//   - [Conn.All] lends them: they are valid until the body of the loop ends,
//     and Clone keeps them.
//   - Channels and Observables give them away: the receiver owns them, may
//     change them, and may give the memory back early with Release.
//   - A Message that the program makes itself owns nothing but what the
//     program put there.
type Message struct {
	// Data is the payload. Text is valid UTF-8.
	Data []byte
	// Type is Text or Binary, or [Notice] for one of a [Relay]. One that is to be
	// sent may be [Verbatim], too.
	Type Type

	own    *bufpool.Buffer // nil for a message that owns nothing
	ticket bufpool.Ticket
	tag    *tag // what few messages have; nil for most
}

// A Message and an error fill the registers that a call has, nine words on
// amd64: yield gets both. A word more than those goes through memory, for each
// message.

// String returns the payload as a string.
func (m Message) String() string { return string(m.Data) }

// Clone returns a copy of the message that the caller owns. The copy lies in
// pooled memory of its own, as a message from a channel may, and can be given
// back with Release.
func (m Message) Clone() Message {
	b := bufpool.Get(len(m.Data))
	c := Message{Type: m.Type, own: b, ticket: b.Only(), tag: m.tag}
	c.Data = b.Mem[:len(m.Data):len(m.Data)]
	copy(c.Data, m.Data)
	return c
}

// Release gives the memory of an owned message back to be used again; Data
// must not be touched after it. It is never required: the collector takes what
// was not released. A second Release, also through a copy, does nothing, as
// does Release of a message that owns nothing. Release may be called from any
// goroutine.
//
// Messages that came in one burst share up to 128 KiB, which is kept as long as
// any of them is: keep a Clone where few are to be kept for long.
func (m Message) Release() {
	if m.own != nil {
		m.own.Release(m.ticket)
	}
}
