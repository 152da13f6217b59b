// Package stream is a WebSocket connection behind its opening handshake: a
// source of inbound messages, a sink for outbound ones, operators between them
// and the wire, and one terminal event.
//
//	conn, err := dial.Dial(ctx, url, nil)
//	if err != nil {
//		return err
//	}
//	for message, err := range conn.All(ctx) {
//		if err != nil {
//			return err // why the connection ended, if that was no success
//		}
//		if err := conn.SendText(ctx, "you said "+message.String()); err != nil {
//			return err
//		}
//	}
//	return nil // the peer has closed with 1000
//
// Package dial makes connections; [New] runs one over anything that reads and
// writes, in either role.
//
// # Taking messages
//
//	Conn.All                 a loop on the caller's goroutine; messages are lent
//	Conn.Receive             one message, owned
//	Conn.Reader              one message at a time as an io.Reader, however large
//	Conn.Chan                a channel; messages are owned
//	Conn.Batches             a channel of slices
//	Conn.Observable          an rxgo Observable; each Observe has a queue of its own
//	Conn.ObservableBatches   an rxgo Observable of slices
//	Conn.OnText, OnBinary    callbacks
//
// All, Receive and Reader are exclusive while they run. The others may be used
// together, and each of their subscribers gets every message; its
// [SubscribeOptions] say what happens to one that is slow. Messages that no
// subscription was given wait for the next taker, in whatever way it takes: those
// that come before the first, and those that the last one was not given. Where
// messages come in bursts a lone subscriber is given the buffer that they were
// read into, which comes back when all of them are released; each of several gets
// copies. [Decode] makes values of messages.
//
// A [Relay] is a source made of others, with the same faces: of connections one after
// another, of many at once, or of what a program puts in. [Message.Origin] tells
// where a message came from, and a [Notice] stands where a connection ended. Each
// source hands its messages on through its own goroutine, one at a time and in the
// order in which they came; no other goroutine stands between. Where a loop over All
// is the only taker of a single source, it reads from that itself.
//
// # Sending messages
//
//	Conn.Send, SendText, SendBinary   one message, accepted when it returns
//	Conn.Sink                         a channel of the caller's own
//	Conn.Pipe                         what comes on a channel; returns what it could not send
//	Conn.Writer                       one message as an io.WriteCloser, however large
//	Conn.Flush                        waits until what was accepted has reached the kernel
//
// [Encode] makes a function that sends values out of one that sends messages.
//
// Whoever finds the wire free writes; what comes meanwhile gathers and goes out
// with the next write. A lone message is on its way at once. Control frames
// overtake data between messages and between the fragments of a large one.
//
// # A consumer that is away
//
// Control frames are seen, Pings answered and the peer's Close noticed also
// while nobody takes messages, within about a second: while a pause is held, a
// Block subscriber is full, or the body of a loop over All is busy. A consumer
// is away when it has taken nothing for a round of 450 ms. The connection then
// reads ahead: 32 KiB at first, and Options.LookAhead bytes from the next round
// on. Past that, TCP holds the peer back.
//
// # The end
//
// Every connection has exactly one terminal event, a [result.Status]. It is
// there before any stream ends, and [Conn.Result] keeps it. A stream ends
// plainly after a success, and with the event's error after anything else;
// messages that came before the event are delivered first.
//
// The peer's Close is answered, and a breach of the protocol ends the connection,
// when reading comes to it. For All, Reader and callbacks that is after the
// message before it was dealt with. Channels and Observables may still have
// messages in their queues, and the look-ahead may find either first; what is
// sent in answer to those messages finds the connection closed.
//
// [Conn.Shutdown] closes and waits, for a program that is about to exit.
// [Conn.Close] starts and returns. After [Conn.CloseNow] a connection holds no
// message. After a write has failed, sends are refused at once with its cause.
//
// # The data path
//
//	in :  socket -> inbound -> operators -> messages -> source -> you
//	out:  you -> sink -> messages -> operators -> outbox -> one gathered write -> socket
//
// What is hard about a connection is state. It stands in three machines that do
// no I/O, take no lock, start no goroutine and read no clock: inbound turns bytes
// into pieces of messages and control frames, outbox holds the frames that wait
// to be written, and closing knows how the connection ends. Thin shells around
// them lock, ask a machine, and do what it says.
//
//	inbound.go, frame.go, scan.go     bytes into frames; the parse cursor and the scan cursor
//	burst.go, assembler.go            whole small frames in one loop; messages of many pieces
//	reader.go, lookahead.go, idle.go  who reads: the consumer, or the look-ahead while it is away
//	chain.go, operator.go, link.go    the operators
//	source.go, claim.go, parting.go   All and Reader; who takes messages, and who is next
//	kept.go                           what was given to nobody, for whoever takes next
//	fanout.go, audience.go            one reader, many subscribers
//	lane.go, queue.go, host.go        each subscriber's queue, and the way into it
//	outbox.go, writer.go              what waits to be written, and who writes it
//	send.go, pipe.go, sink.go, messagewriter.go    the ways to send
//	ping.go, stats.go                 the program's own Pings; what was counted
//	closing.go, close.go, linger.go   the end
//	discard.go                        messages that nobody takes
//	relay.go, feeder.go, feed.go      a source made of others, what is put into it and joined
//	turn.go, relaylane.go, wiring.go  who may give, and how each source hands on
//	relayall.go, relayinbox.go        All of a Relay
//	notice.go                         where messages came from, and what lies between them
//	transport.go, clock.go            what lies under a connection, and its one timer
//	conn.go                           the connection: its parts, and New
//
// All bytes that came and were not taken lie in one list of borrowed buffers, and
// frames are parsed where they lie. What stands between two operators is a
// [Frame], a piece of a message and not the whole of it, so that a message of any
// length streams through a few KiB. Pieces are pulled up one at a time, as they
// are asked for, so that what a few bytes inflate to never waits in memory.
package stream
