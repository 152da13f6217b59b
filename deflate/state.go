package deflate

import (
	"sync/atomic"

	"github.com/wsflow/wsflow/stream"
)

// A State shows what permessage-deflate does on one connection. Its methods may
// be called at any time, from any goroutine.
type State struct {
	agreed         Setup
	sent, received counters
}

type counters struct{ plain, compressed atomic.Uint64 }

func (c *counters) add(plain, compressed int) {
	c.plain.Add(uint64(plain))
	c.compressed.Add(uint64(compressed))
}

func (c *counters) load() Bytes {
	return Bytes{Plain: c.plain.Load(), Compressed: c.compressed.Load()}
}

// Bytes count the payload of the compressed messages of one direction. Messages that
// were not compressed do not count.
type Bytes struct {
	Plain      uint64 // as the application has them
	Compressed uint64 // as they crossed the network, without the frames' headers
}

// Of returns the state of permessage-deflate on a connection, or false if it
// was not negotiated.
func Of(c *stream.Conn) (*State, bool) { return stream.OperatorState[*State](c) }

// Agreed returns the parameters that hold, all of them set.
func (s *State) Agreed() Setup { return s.agreed }

// Sent returns how much was compressed so far.
func (s *State) Sent() Bytes { return s.sent.load() }

// Received returns how much was inflated so far.
func (s *State) Received() Bytes { return s.received.load() }
