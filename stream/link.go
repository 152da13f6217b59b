package stream

import (
	"fmt"
	"time"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// A Link is an operator's hold on one connection. Its methods may be called
// from any goroutine, except Down, and only once Attach has returned; Role and
// Logger may be called in Attach too.
type Link struct {
	conn *Conn
	next int // the first Out below this operator
}

// Role returns the side of the connection that this program is.
func (l *Link) Role() Role { return l.conn.role }

// Down hands a data piece on, toward the wire. It may only be called from
// inside the operator's own Out, any number of times. The payload may be
// reused when it returns. The pieces of a message must be of one Type, the
// first of them First and the last of them Last.
func (l *Link) Down(f Frame) error { return l.conn.w.down(l.next, f) }

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
	return l.conn.w.control(t, payload)
}

// LastRead returns when the last bytes came from the peer, or when the
// connection started, if none came yet.
func (l *Link) LastRead() time.Time {
	return l.conn.start.Add(time.Duration(l.conn.r.last.Load()))
}

// Held reports that reading has stopped because this side does not take what
// came: the look-ahead is spent. The peer's silence then proves nothing.
func (l *Link) Held() bool { return l.conn.r.ahead.held.Load() }

// Logger returns the connection's logger, never nil.
func (l *Link) Logger() *zap.Logger { return l.conn.log() }
