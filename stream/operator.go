package stream

import "time"

// An Operator stands between messages and frames: it may watch, transform,
// hold, drop and inject data frames in both directions, see control frames,
// and be woken by a timer. It is a value that may be reused for any number of
// connections, also at the same time; what belongs to one connection is made
// by Attach.
//
// An operator that also takes part in the opening handshake is a [Negotiator];
// one whose options can be wrong is a [Validator].
type Operator interface {
	// Attach prepares the operator for one connection and returns what it
	// wants to see of it. It is called once for each connection, before any
	// frame is read or written. An error keeps the connection from starting.
	Attach(*Link) (Hooks, error)
}

// A Negotiator is an operator that is an extension of the protocol: it must be
// agreed on in the opening handshake.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-9.1
type Negotiator interface {
	Operator
	// Offers returns elements for the client's Sec-WebSocket-Extensions
	// header, best first, such as "permessage-deflate; client_max_window_bits".
	Offers() []string
	// Accept is handed the one element of the server's answer that names this
	// extension, parameters included, and returns the operator to attach. An
	// error fails the connection.
	Accept(answer string) (Operator, error)
}

// A Validator is an operator that can say before any I/O that its options
// cannot be used. The error should be a [*result.ArgumentError].
type Validator interface {
	Validate() error
}

// Hooks are what an operator wants of a connection. Each field may be left
// zero; what is left zero costs nothing.
type Hooks struct {
	// In is handed the pieces of inbound data messages, one at a time, and
	// returns the piece to hand on, toward the application; a zero Frame hands
	// on nothing. While it reports more it is called again, with a zero Frame,
	// before the next piece. The payload that it is given is read-only and valid
	// until In returns more == false. The payload that it returned stays valid
	// until In is called next.
	//
	// An error ends the connection: a *result.ProtocolError closes it with its
	// code, any other error with 1011.
	In func(Frame) (out Frame, more bool, err error)

	// Out is handed the pieces of outbound data messages in wire order, one
	// call at a time, and hands pieces on, toward the wire, with [Link.Down].
	// It must not keep the payload. Each piece that reaches the wire becomes
	// one frame, or several where it is larger than the fragment size.
	//
	// An error refuses the message: the sender gets it. If a frame of the message is
	// already on its way, the connection closes with 1011.
	Out func(Frame) error

	// Control sees each inbound Ping, Pong and Close once, after the
	// connection itself has dealt with it. It may run beside In, but never
	// twice at a time. It must not block, and must neither keep nor change the
	// payload. An error ends the connection, as one of In does.
	Control func(Frame) error

	// Timer is called soon after the connection starts and then each time the
	// duration that it returned has gone by; zero or less ends this. It must
	// not block. It never runs twice at a time, and is not called any more once
	// the connection has begun to close. An error ends the connection with a
	// *result.ConnectionFailed that wraps it.
	Timer func(now time.Time) (again time.Duration, err error)

	// RSV is the set of reserved bits that this operator owns: RSV1 is 4, RSV2
	// is 2, RSV3 is 1. If it is not zero, In sees only messages that begin
	// with one of them set, and clears it in what it hands on. A bit that the
	// peer sets and nobody owns is a protocol error. If two operators claim one
	// bit, New fails.
	RSV byte

	// State is what the operator shows of this connection. [OperatorState] finds it.
	State any
}

// A Frame is what operators see: the piece of a data message that is at hand,
// or a whole control frame. A message of any length streams through pieces of
// a few KiB; its frames may be cut into pieces, but a piece never spans two
// frames.
type Frame struct {
	// Type is Text or Binary in every piece of a message, the continuation
	// frames' too; or Ping, Pong or Close.
	Type Type
	// RSV holds the reserved bits of the message's first frame: RSV1 is 4,
	// RSV2 is 2, RSV3 is 1.
	RSV byte
	// First and Last tell the first and the last piece of a message.
	First, Last bool
	// Begin and End tell the first and the last piece of a frame, inbound. An
	// outbound piece is a frame of its own.
	Begin, End bool
	// Verbatim is the sender's wish that operators leave the message as it is.
	Verbatim bool
	// Payload is unmasked. It may be empty.
	Payload []byte
}
