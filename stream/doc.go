// Package stream runs a WebSocket connection behind its opening handshake: a
// source of inbound messages, a sink for outbound ones, operators between them
// and the wire, and one terminal event.
//
// Package dial makes connections; [New] runs one over anything that reads and
// writes, in either role.
//
// # The data path
//
//	in :  socket -> frames (read.go, frame.go) -> operators (chain.go) -> messages (whole.go) -> source -> you
//	out:  you -> sink -> messages -> operators -> frames (write.go) -> one gathered write (flush.go) -> socket
//
// Frames are parsed where they lie in one buffer. What stands between two
// operators is a [Frame], a piece of a message and not the whole of it, so that
// a message of any length streams through a few KiB; pieces are pulled up one
// at a time, as they are asked for, so that what a few bytes inflate to never
// waits in memory.
//
// # Taking messages
//
//	Conn.All                 a loop on the caller's goroutine; messages are lent
//	Conn.Reader              one message at a time as an io.Reader, however large
//	Conn.Chan                a channel; messages are owned
//	Conn.Batches             a channel of slices
//	Conn.Observable          an rxgo Observable; each Observe has a queue of its own
//	Conn.ObservableBatches   an rxgo Observable of slices
//	Conn.OnText, OnBinary    callbacks
//
// All and Reader are exclusive. The others may be used together, and each of
// their subscribers gets every message; what happens to one that is slow is
// said by its [Queue]. No message is lost before the first subscriber comes.
// Where messages come in bursts a lone subscriber is given the buffer that they
// were read into (slab.go), which comes back when all of them are released;
// each of several gets copies.
//
// # Sending messages
//
//	Conn.Send, SendText, SendBinary   one message, accepted when it returns
//	Conn.Sink                         a channel of the caller's own
//	Conn.Writer                       one message as an io.WriteCloser, however large
//	Conn.Flush                        waits until what was accepted has reached the kernel
//
// Whoever finds the wire free writes; what comes meanwhile gathers and goes out
// with the next write. A lone message is on its way at once. Control frames
// overtake data between messages and between the fragments of a large one.
//
// # A consumer that is away
//
// Control frames are seen, Pings answered and the peer's Close noticed also
// while nobody takes messages, within about a second: while a pause is held, a
// Block subscriber is full, or the body of a loop over All is busy. The
// connection then reads ahead, up to Options.LookAhead bytes; past that, TCP
// holds the peer back.
//
// # The end
//
// Every connection has exactly one terminal event, a [result.Status]. It is
// there before any stream ends, and [Conn.Result] keeps it. A stream ends
// plainly after a success, and with the event's error after anything else;
// messages that came before the event are delivered first.
//
// The peer's Close is answered when the connection comes to it. For All, Reader
// and callbacks that is after the message before it was dealt with; channels and
// Observables may still have messages in their queues then, and what is sent in
// answer to those finds the connection closed.
package stream
