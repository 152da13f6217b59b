package stream

import (
	"time"

	"go.uber.org/zap"
)

// A Link is an operator's hold on one connection.
type Link struct {
	conn  *Conn
	index int // of the operator in the list
}

// Role returns the side of the connection that this program is.
func (l *Link) Role() Role { panic("") }

// Down hands a data piece on, toward the wire. It may only be called from
// inside the operator's own Out, any number of times. The payload may be
// reused when it returns.
func (l *Link) Down(f Frame) error { panic("") }

// Control queues a Ping or Pong frame of at most 125 bytes and returns; it
// never waits for the network. It overtakes queued data. It may be called from
// anywhere, and fails once the connection has sent its Close frame.
func (l *Link) Control(t Type, payload []byte) error { panic("") }

// LastRead returns when the last bytes came from the peer: the connection's
// start, if none came yet.
func (l *Link) LastRead() time.Time { panic("") }

// Held reports that reading has stopped because this side does not take what
// came: the look-ahead is spent. The peer's silence then proves nothing.
func (l *Link) Held() bool { panic("") }

// Logger returns the connection's logger, never nil.
func (l *Link) Logger() *zap.Logger { panic("") }

// Conn is a connection.
type Conn struct{}

// State returns what an operator of the connection shows of it, by type; false
// if no operator shows such a thing. Operators' packages offer a shorter way,
// such as heartbeat.Of.
func State[T any](c *Conn) (state T, ok bool) { panic("") }
