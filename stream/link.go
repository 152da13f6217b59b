package stream

import (
	"fmt"
	"time"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// A Link is an operator's hold on one connection. Its methods may be called
// from any goroutine, except Down, and only once Attach has returned; Role,
// FragmentSize and Logger may be called in Attach too.
type Link struct {
	conn   *Conn
	index  int32 // in the connection's list of operators
	rsv    byte
	more   bool // in has more to give
	counts bool // the operator counts the time in which this side listens

	in      func(Frame) (Frame, bool, error)
	out     func(Frame) error
	control func(Frame) error
	timer   func(time.Time) (time.Duration, error)
	due     time.Duration // the clock's: when to call timer; 0 is never
	state   any
}

// attach attaches the operators. The list of links is made at once: operators
// keep pointers into it.
func (c *Conn) attach(operators []Operator) error {
	c.links = make([]Link, len(operators))
	for i, op := range operators {
		if op == nil {
			return &result.ArgumentError{Name: fmt.Sprintf("stream.Options.Operators[%d]", i), Allowed: "an operator, not nil"}
		}
		if v, ok := op.(Validator); ok {
			if err := v.Validate(); err != nil {
				return err
			}
		}
		l := &c.links[i]
		l.conn, l.index = c, int32(i)
		hooks, err := op.Attach(l)
		if err != nil {
			return err
		}
		if hooks.RSV&c.r.chain.rsv != 0 || hooks.RSV > 7 {
			return &result.ArgumentError{Name: "reserved bits that an operator owns", Value: hooks.RSV, Allowed: "a set of 4, 2 and 1 that no other operator owns"}
		}
		l.rsv, l.in, l.out, l.control, l.timer, l.state = hooks.RSV, hooks.In, hooks.Out, hooks.Control, hooks.Timer, hooks.State
		c.r.chain.add(hooks)
	}
	return nil
}

// OperatorState returns what an operator of the connection shows of it, by type; false
// if no operator shows such a thing. Operators' packages offer a shorter way,
// such as heartbeat.Of.
func OperatorState[T any](c *Conn) (state T, ok bool) {
	for i := range c.links {
		if state, ok = c.links[i].state.(T); ok {
			return state, true
		}
	}
	return state, false
}

// Role returns the side of the connection that this program is.
func (l *Link) Role() Role { return l.conn.r.role }

// FragmentSize returns the largest frame that is sent, in bytes of payload, or a
// negative number if frames may have any size. An operator that changes the size of
// a message gathers what it makes of a whole one (First and Last in one piece) up
// to this size, so that the option means the same with it and without.
func (l *Link) FragmentSize() int { return l.conn.w.fragment }

// Down hands a data piece on, toward the wire, and waits for room there. It may
// only be called from inside the operator's own Out, any number of times. The
// payload may be reused when it returns. The pieces of a message must be of one
// Type, the first of them First and the last of them Last. An error means that the
// message cannot be sent; Out returns it.
func (l *Link) Down(f Frame) error { return l.conn.w.down(l.conn.links[l.index+1:], f) }

// Control queues a Ping or a Pong frame of at most 125 bytes, which are copied,
// and returns; it never waits for the network. The frame overtakes queued
// data. Control fails once the connection has begun to close, and while more
// than 16 KiB of such frames wait for the network.
func (l *Link) Control(t Type, payload []byte) error {
	if t != Ping && t != Pong {
		return &result.ArgumentError{Name: "type of a control frame", Value: t, Allowed: "ping or pong"}
	}
	if len(payload) > wire.MaxControl {
		return &result.ArgumentError{Name: fmt.Sprintf("payload of a %v frame in bytes", t), Value: len(payload), Allowed: "up to 125"}
	}
	if err := l.conn.w.interject(t, payload, true); err != nil {
		return err
	}
	l.conn.w.kick()
	return nil
}

// LastRead returns when the last bytes came from the peer, or when the
// connection started, if none came yet.
func (l *Link) LastRead() time.Time {
	at := time.Now()
	return at.Add(time.Duration(l.conn.r.last.Load()) - at.Sub(epoch))
}

// Logger returns the connection's logger, never nil.
func (l *Link) Logger() *zap.Logger { return l.conn.log() }
