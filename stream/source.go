package stream

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/wsflow/wsflow/result"
)

// All returns the inbound messages, read on the caller's goroutine. A message
// is lent until the body of the loop ends; [Message.Clone] keeps it. Nothing is
// allocated for a message.
//
// The loop ends plainly after a success (see package result). After any other end of
// the connection it yields, last, a zero Message and the error of the terminal event;
// when ctx ends, its cause, and the connection goes on: All may be called again, and
// continues where the last loop stopped. While another taker is active, the loop
// yields [ErrTaken].
func (c *Conn) All(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if _, err := c.loop(ctx, nil, yield); err != nil {
			yieldError(yield, err)
		}
	}
}

// yieldError yields an error. Inlined, it would make the stack of each loop larger.
//
//go:noinline
func yieldError(yield func(Message, error) bool, err error) { yield(Message{}, err) }

// loop is the loop of All, for a feed of a Relay or for nobody's. It tells whether the
// stream is over, and returns the error to report: nil where yield returned false, and
// after a success.
func (c *Conn) loop(ctx context.Context, by *feed, yield func(Message, error) bool) (over bool, err error) {
	if err := c.claim(ctx, by); err != nil {
		if err == errOver {
			return c.concluded(ctx)
		}
		return false, err
	}
	r := &c.r
	if ctx.Err() != nil {
		c.unclaim()
		return false, context.Cause(ctx)
	}
	r.assemble, r.current, r.watched, r.tag = true, nil, true, by.label()
	stop := r.watchContext(ctx)
	defer r.leave(stop)
	if raceDetector {
		yield = r.spoiling(yield)
	}
	more, err := c.eachKept(ctx, yield)
	if err != nil {
		return r.isOver(ctx, err)
	}
	for more && r.burst(yield) {
		begun, err := r.between(ctx)
		if begun {
			more, err = r.one(ctx, yield)
		}
		if err != nil {
			return r.isOver(ctx, err)
		}
	}
	return false, nil
}

// isOver is ended for a loop. It tells whether the stream is over.
func (r *reader) isOver(ctx context.Context, err error) (over bool, why error) {
	if e, ok := err.(*stopped); ok {
		return false, e.cause
	}
	r.finish(err)
	return r.c.concluded(ctx)
}

// concluded waits for the terminal event of a stream of which nothing more is read,
// and returns the error to report. It reports false if ctx ends first.
func (c *Conn) concluded(ctx context.Context) (over bool, err error) {
	if err := c.outcome(ctx); !c.ended() {
		return false, err
	}
	return true, c.ending(context.Background())
}

// one yields the next message, and returns what yield does.
func (r *reader) one(ctx context.Context, yield func(Message, error) bool) (more bool, err error) {
	m, err := r.message(ctx)
	if err != nil {
		return false, err
	}
	return yield(m, nil), nil
}

// leave ends a loop.
func (r *reader) leave(stop func()) {
	stop()
	r.letGo()
	r.c.unclaim()
}

// outcome waits for the terminal event and returns its error; nil for a
// success.
func (c *Conn) outcome(ctx context.Context) error {
	_, err := c.promise.Wait(ctx)
	return err
}

// ending is outcome for a stream: what was wrong with that alone is an error even
// where the connection has ended well.
func (c *Conn) ending(ctx context.Context) error {
	return cmp.Or(c.outcome(ctx), c.source.fault)
}

// watchContext calls a waiting read back when ctx ends, until stop is called.
func (r *reader) watchContext(ctx context.Context) (stop func()) {
	if _, ok := ctx.(*session); ok || ctx.Done() == nil {
		return func() {} // a session nudges
	}
	done := make(chan struct{})
	cancelled := context.AfterFunc(ctx, func() {
		r.attention.Add(1)
		r.c.t.interrupt()
		close(done)
	})
	return func() {
		if !cancelled() {
			<-done
			r.attention.Add(-1)
		}
	}
}

// ended turns the error that ended reading into the one to report: it ends the
// connection where that is called for, and waits for the terminal event.
func (r *reader) ended(ctx context.Context, err error) error {
	if e, ok := err.(*stopped); ok {
		return e.cause
	}
	r.finish(err)
	return r.c.ending(ctx)
}

// finish ends the stream for what ended reading, and the connection where that
// is called for.
//
// A fault may be found only after the connection has ended well, where the
// peer's Close was seen ahead of it. The message is lost all the same, and the
// stream says so.
func (r *reader) finish(err error) {
	s := &r.c.source
	switch e := err.(type) {
	case *operatorFailure:
		s.fault = &result.ConnectionFailed{Err: e.error}
	case *result.ProtocolError:
		s.fault = &result.ConnectionFailed{Err: e}
	}
	s.over = true
	if s.fault != nil {
		r.c.fail(err)
	}
	r.empty()
}

// Reader waits for the next message and returns its type and its bytes as a
// stream, for messages too large to hold: they are bounded by the pieces in
// which they come and not by Options.SizeLimit. The io.Reader ends with io.EOF
// at the message's end; text that is not UTF-8 fails at the first bad byte.
//
// ctx bounds the wait and the reads of this message. The io.Reader is valid
// until the next call of Reader, which passes over what was left unread, and
// must not be used by several goroutines at a time. The error is io.EOF after a
// success, the error of the terminal event after any other end, the cause of
// ctx, or [ErrTaken].
func (c *Conn) Reader(ctx context.Context) (Type, io.Reader, error) {
	if err := c.claim(ctx, nil); err != nil {
		return 0, nil, c.unclaimed(ctx, err)
	}
	defer c.unclaim()
	m := &messageReader{r: &c.r, ctx: ctx}
	if err := m.start(); err != nil {
		return 0, nil, err
	}
	return m.typ, m, nil
}

// unclaimed turns claim's error into the one that a Reader reports.
func (c *Conn) unclaimed(ctx context.Context, err error) error {
	if err != errOver {
		return err
	}
	if err = c.ending(ctx); err == nil {
		err = io.EOF
	}
	return err
}

// A messageReader reads one message piece by piece. Whoever takes messages
// between its calls makes it stale.
type messageReader struct {
	r    *reader
	ctx  context.Context
	typ  Type
	rest []byte // of the piece at hand
	last bool   // it is the last one
	err  error
}

// start finds the beginning of a message.
func (m *messageReader) start() error {
	r := m.r
	defer r.watchContext(m.ctx)()
	r.assemble, r.current, r.watched = false, nil, true
	kept, err := r.c.nextKept(m.ctx)
	if err != nil {
		return m.report(err)
	}
	if kept.Type != 0 {
		m.typ, m.rest, m.last = kept.Type, kept.Data, true
		r.current = m
		return nil
	}
	for {
		f, err := m.piece()
		if err != nil {
			return m.report(err)
		}
		if r.msg.skip {
			r.msg.skip = !f.Last
			continue
		}
		m.typ, m.rest, m.last = f.Type, f.Payload, f.Last
		r.msg.skip = !f.Last
		r.current = m
		if r.msg.typ != 0 { // All had begun to assemble this message.
			r.msg.add(f.Payload, r.limit)
			m.rest = r.msg.own.Mem[:r.msg.n]
			r.msg.typ, r.msg.n = 0, 0
		}
		return nil
	}
}

func (m *messageReader) piece() (Frame, error) {
	if m.r.attention.Load() != 0 {
		if err := m.r.attend(m.ctx); err != nil {
			return Frame{}, err
		}
	}
	return m.r.next(m.ctx)
}

// report is ended for a stream that ends with io.EOF.
func (m *messageReader) report(err error) error {
	if err = m.r.ended(m.ctx, err); err == nil {
		err = io.EOF
	}
	return err
}

var errStale = errors.New("wsflow: read from a message after the next one was asked for")

// Read reads from the message; 0 bytes and nil are never returned for a p that
// has room.
func (m *messageReader) Read(p []byte) (int, error) {
	if len(p) == 0 || m.err != nil {
		return 0, m.err
	}
	c := m.r.c
	if err := c.claim(m.ctx, nil); err != nil {
		return 0, c.unclaimed(m.ctx, err)
	}
	defer c.unclaim()
	if m.r.current != m {
		m.err = errStale
		return 0, m.err
	}
	for len(m.rest) == 0 && !m.last {
		if err := m.more(); err != nil {
			return 0, err
		}
	}
	if len(m.rest) == 0 {
		m.err = io.EOF
		return 0, io.EOF
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// more reads the next piece.
func (m *messageReader) more() error {
	r := m.r
	defer r.watchContext(m.ctx)()
	f, err := m.piece()
	if err != nil {
		if err = m.report(err); err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if m.ctx.Err() == nil {
			m.err = err
		}
		return err
	}
	m.rest, m.last = f.Payload, f.Last
	r.msg.skip = !f.Last
	return nil
}
