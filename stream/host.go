package stream

import (
	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// A host is what messages are taken from: a Conn or a Relay. All faces but All and
// Reader are written once, over a host.
type host interface {
	// subscribe adds a lane. After the end of the stream the lane gets that alone.
	subscribe(l lane) error
	// leave takes a lane out.
	leave(l lane)
	// giveBack is called once for a lane that owes messages, when its subscriber
	// has ended.
	giveBack(l lane, messages []Message)
	// Done is closed at the terminal event.
	Done() <-chan struct{}
	// callbacks returns the listeners.
	callbacks() *listeners
	// poster returns Options.Post.
	poster() func(func())
	// panicked ends the host for a callback that panicked with err.
	panicked(err error)
	log() *zap.Logger
}

func (c *Conn) leave(l lane)                        { c.source.leave(l) }
func (c *Conn) giveBack(l lane, messages []Message) { c.source.giveBack(l, messages) }
func (c *Conn) callbacks() *listeners               { return c.source.listeners(c) }
func (c *Conn) poster() func(func())                { return c.lasting.post }
func (c *Conn) panicked(err error)                  { c.abort(result.StatusInternalError, "", with(err)) }

// What a Conn is to a Relay as a Source.

func (c *Conn) adopt(f *feed) error { return c.source.adopt(f) }
func (c *Conn) disown(f *feed)      { c.source.disown(f) }
func (c *Conn) reclaim() error      { return c.source.keep() }

func (c *Conn) enroll(l lane, by *feed) error {
	version, start, err := c.source.join(l, by)
	if start {
		c.fanOut(l, version)
	}
	return err
}

func (c *Conn) nudge(by int32) {
	c.r.attention.Add(by)
	c.t.interrupt()
}
