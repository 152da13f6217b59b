package stream

import (
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// gather is how many bytes of a streamed message make a fragment.
const gather = 16 << 10

// Writer begins a message that is sent as it is written, in fragments of about
// 16 KiB, for messages too large to hold or not known in full. It waits for its
// turn; until Close ends the message, all other messages wait. Control frames
// go between the fragments.
//
// ctx bounds the waits of the Writer and of all its calls. If a message cannot be
// finished (ctx ended, or text is not UTF-8), Close returns the error. If the first
// fragment was already sent, Close also fails the connection with 1011; otherwise
// nothing of the message was sent, and the connection goes on. Close without an error
// sends what was written as the whole message: to give one up, end ctx first.
// The Writer must not be used by several goroutines at a time; p stays the
// caller's.
func (c *Conn) Writer(ctx context.Context, t Type) (io.WriteCloser, error) {
	if err := cmp.Or(check.Context(ctx), Message{Type: t}.check()); err != nil {
		return nil, err
	}
	w := &c.w
	if err := w.lock(ctx); err != nil {
		return nil, err
	}
	if err := w.open(ctx); err != nil {
		w.sending.unlock()
		return nil, err
	}
	w.streaming.Store(true)
	return &messageWriter{w: w, ctx: ctx, typ: t, first: true, own: bufpool.Get(gather)}, nil
}

// A messageWriter gathers a fragment, and has the turn.
type messageWriter struct {
	w     *writer
	ctx   context.Context
	typ   Type
	first bool
	text  wire.UTF8
	own   *bufpool.Buffer
	n     int
	err   error
	done  bool
}

var errWriterClosed = errors.New("wsflow: write to a Writer that was closed")

// Write adds p to the message.
func (m *messageWriter) Write(p []byte) (int, error) {
	if m.done {
		return 0, errWriterClosed
	}
	if m.err == nil && m.typ == Text && !m.text.Write(p) {
		m.err = &result.ArgumentError{Name: "text message", Value: fault("not valid UTF-8"), Allowed: "UTF-8"}
	}
	sent := 0
	for m.err == nil && sent < len(p) {
		n := copy(m.own.Mem[m.n:gather], p[sent:])
		m.n += n
		sent += n
		if m.n == gather {
			m.err = m.emit(false)
		}
	}
	return sent, m.err
}

// emit sends what was gathered.
func (m *messageWriter) emit(last bool) error {
	if err := m.w.open(m.ctx); err != nil {
		return err
	}
	f := Frame{Type: m.typ, First: m.first, Last: last, Begin: true, End: true, Payload: m.own.Mem[:m.n]}
	m.first, m.n = false, 0
	err := m.w.piece(m.ctx, f)
	m.w.send(m.ctx)
	return err
}

// Close ends the message and lets the next begin. A second Close returns an error
// and does nothing.
func (m *messageWriter) Close() error {
	if m.done {
		return errWriterClosed
	}
	m.done = true
	defer m.leave() // also when an operator panics
	if m.err == nil && m.typ == Text && !m.text.Complete() {
		m.err = &result.ArgumentError{Name: "text message", Value: fault("not complete: it ends within a character"), Allowed: "UTF-8"}
	}
	if m.err == nil {
		m.err = errUnfinished // as long as an operator has not returned: it may panic
		m.err = m.emit(true)
	}
	return m.err
}

// leave lets the next message begin.
func (m *messageWriter) leave() {
	m.own.Free()
	if m.err != nil {
		m.w.end(m.err)
	}
	m.w.streaming.Store(false)
	m.w.sending.unlock()
}
