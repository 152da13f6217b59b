package stream

import (
	"io"
	"sync/atomic"

	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// A Conn is one WebSocket connection after its opening handshake: a source of
// inbound messages, a sink for outbound ones, and one terminal event.
//
// All methods may be called from many goroutines, and from callbacks. A nil
// context is refused with a *result.ArgumentError. Who owns
// the bytes of a message is said at [Message]. The life of a Conn ends with
// its terminal event, which [Conn.Done] and [Conn.Result] announce; every
// connection has one, at the latest when the transport fails. A program that
// wants no more of a connection calls [Conn.Close] or [Conn.CloseNow].
type Conn struct {
	t     transport
	r     reader
	w     writer
	close closer

	dispatcher dispatcher
	pauses     pauses
	source     source
	sinks      sinks
	events     lazyExecutor
	clock      clock
	pings      atomic.Pointer[pinger] // nil until the program sends a Ping
	links      []Link                 // the operators, first nearest the application
	header     fields                 // Options.Header; never changes

	lasting *lasting
	promise *result.Promise
	settle  func(result.Status) bool
	quit    event // CloseNow was called
}

// New starts a connection over rwc, on which the opening handshake is done.
// The connection owns rwc from then on; nil options mean the defaults.
//
// rwc may be anything that reads and writes. Without a working SetReadDeadline,
// a goroutine and a buffer are used. With one, an idle connection whose messages
// are being taken holds no buffer of its own. Deadlines that were set on it are
// lifted.
//
// The error is a *result.ArgumentError, or that of an operator's Attach. On
// error, rwc is untouched.
func New(rwc io.ReadWriteCloser, role Role, opts *Options) (*Conn, error) {
	all, err := opts.complete()
	if err != nil {
		return nil, err
	}
	if rwc == nil {
		return nil, &result.ArgumentError{Name: "rwc of stream.New", Value: nil, Allowed: "a connection"}
	}
	if role > Server {
		return nil, &result.ArgumentError{Name: "role of stream.New", Value: role, Allowed: "Client or Server"}
	}
	c := &Conn{lasting: all.lasting(), header: newFields(all.Header)}
	c.t.init(rwc)
	c.promise, c.settle = result.NewPromise(c.post)
	c.initReader(role, &all)
	c.initWriter(&all)
	if err := c.attach(all.Operators); err != nil {
		return nil, err
	}
	c.t.begin()
	c.r.begin()
	c.r.ahead.arm()
	c.wakeAll()
	return c, nil
}

// Done returns a channel that is closed at the terminal event, before any
// stream of the connection ends.
func (c *Conn) Done() <-chan struct{} { return c.promise.Done() }

// Result returns the promise of the terminal event. Its continuations run on a
// goroutine of the connection, or through Options.Post, after the callbacks of
// the messages that came before.
func (c *Conn) Result() *result.Promise { return c.promise }

// post runs f behind what was posted before it, where callbacks run.
func (c *Conn) post(f func()) { c.events.post(f, c.lasting.post, &c.source) }

// log returns the logger with what tells this connection from others.
func (c *Conn) log() *zap.Logger {
	if c.lasting.logger == silent {
		return silent
	}
	fields := []zap.Field{zap.String("subprotocol", c.lasting.subprotocol)}
	if local, remote := c.LocalAddr(), c.RemoteAddr(); local != nil && remote != nil {
		fields = append(fields, zap.Stringer("local", local), zap.Stringer("remote", remote))
	}
	return c.lasting.logger.With(fields...)
}
