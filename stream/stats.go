package stream

import "sync/atomic"

// Stats are counts of a connection from its start on. It is a plain value.
//
// Bytes are those of frames, headers included, as New's rwc carries them: under
// TLS, what is inside it. The opening handshake is not among them.
type Stats struct {
	// MessagesIn counts the data messages that came. Those that lie together in a
	// buffer count when all of them were handed on, or when the connection reads
	// ahead, as it does for a consumer that is away. A message that is read ahead
	// counts when its last frame begins, any other when that ends.
	MessagesIn uint64

	// BytesIn counts what was read. ControlBytesIn counts the control frames in it,
	// when each is dealt with. So data has come if BytesIn has grown by more than
	// ControlBytesIn, also while a busy consumer does not take it. A control frame that
	// waits for that consumer looks the same, for about a second.
	BytesIn, ControlBytesIn int64

	// PingsIn and PongsIn count the frames that were dealt with.
	PingsIn, PongsIn uint64

	// Held tells that nothing more is read until a consumer comes back: as much
	// waits for it as Options.LookAhead says. The peer is not silent then.
	Held bool

	// MessagesOut counts the data messages that were accepted to their end.
	MessagesOut uint64

	// BytesOut counts what the transport took, and BytesQueued the data frames
	// that wait for it.
	BytesOut, BytesQueued int64

	// PingsOut and PongsOut count what was queued: Pings of the heartbeat, of
	// [Conn.Ping] and of operators, and Pongs in answer to the peer. There are fewer
	// Pongs than PingsIn where only the latest of many Pings was answered.
	PingsOut, PongsOut uint64
}

// Stats returns what was counted until now. It may be called at any time, after
// the connection's end too, and does not wait for the network. What a subscription
// has dropped is told by its own [Subscription.Dropped].
func (c *Conn) Stats() Stats {
	n := &c.r.counts
	s := Stats{
		MessagesIn: max(n.messages.Load(), c.r.ahead.messages.Load()), ControlBytesIn: n.control.Load(),
		PingsIn: n.pings.Load(), PongsIn: n.pongs.Load(),
		Held:    c.r.ahead.held.Load(),
		BytesIn: n.bytes.Load(), // read last, so that it is never less than what is in it
	}
	c.w.stats(&s)
	return s
}

func (w *writer) stats(s *Stats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &w.outbox
	s.MessagesOut, s.PingsOut, s.PongsOut = o.counts.messages, o.counts.pings, o.counts.pongs
	s.BytesOut = o.taken
	if o.phase != boxBroken {
		s.BytesQueued = o.queued - o.written
	}
}

// inboundCounts are read by anybody. Each is written by one goroutine at a time, so
// that a load and a store add to it.
type inboundCounts struct {
	messages atomic.Uint64 // what the consumer has passed
	bytes    atomic.Int64  // under the reader's lock
	control  atomic.Int64  // under the dispatcher's lock, as are the others
	pings    atomic.Uint64
	pongs    atomic.Uint64
}

// passed publishes how many messages the consumer has passed.
func (n *inboundCounts) passed(messages uint64) {
	if n.messages.Load() != messages {
		n.messages.Store(messages)
	}
}

// read counts what was read.
func (n *inboundCounts) read(bytes int) { n.bytes.Store(n.bytes.Load() + int64(bytes)) }

// dealt counts a control frame of so many bytes.
func (n *inboundCounts) dealt(t Type, size int) {
	n.control.Store(n.control.Load() + int64(size))
	switch t {
	case Ping:
		n.pings.Store(n.pings.Load() + 1)
	case Pong:
		n.pongs.Store(n.pongs.Load() + 1)
	}
}

// outboundCounts are of what an outbox has taken.
type outboundCounts struct{ messages, pings, pongs uint64 }
