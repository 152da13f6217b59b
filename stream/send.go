package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// Send sends one message. It waits for its turn and, while 192 KiB of frames
// wait for the network, for room; it returns when the message was accepted,
// which means neither that it was written nor that it was delivered: see
// [Conn.Flush]. Data is copied and stays the caller's. A [Notice] is passed over.
//
// A message larger than Options.FragmentSize waits for room before each of its
// fragments. If ctx ends between two of them, the message cannot be finished, and
// the connection is closed with 1011.
//
// The error is a *result.ArgumentError for a nil ctx or a message that cannot be
// sent, the cause of ctx if it ends first, that of an operator that refused, or one
// that is net.ErrClosed once the connection has begun to close. In each case
// nothing of the message was sent, unless the connection failed, or was closed for
// this, while the message was on its way in fragments.
//
// Whoever finds the wire free writes. On a transport that is no plain socket, a
// Send whose context never ends writes on its own goroutine, and may wait for the
// network there, also with what others send meanwhile.
func (c *Conn) Send(ctx context.Context, m Message) error {
	if m.Type == Notice {
		return check.Context(ctx)
	}
	if err := cmp.Or(check.Context(ctx), m.check()); err != nil {
		return err
	}
	w := &c.w
	if err := w.lock(ctx); err != nil {
		return err
	}
	err := w.accept(ctx, m)
	w.send(ctx)
	return err
}

// SendText sends a text message, which must be valid UTF-8. See [Conn.Send].
func (c *Conn) SendText(ctx context.Context, text string) error {
	// No one writes to the payload of an outbound message.
	return c.Send(ctx, Message{Type: Text, Data: unsafe.Slice(unsafe.StringData(text), len(text))})
}

// SendBinary sends a binary message. See [Conn.Send].
func (c *Conn) SendBinary(ctx context.Context, data []byte) error {
	return c.Send(ctx, Message{Type: Binary, Data: data})
}

// check reports whether a message may be sent. Send, Sink and Pipe ask nothing
// else of it.
func (m Message) check() error {
	switch m.Type &^ Verbatim {
	case Binary:
		return nil
	case Text:
		if !wire.Valid(m.Data) {
			return &result.ArgumentError{Name: "text message", Value: fault(fmt.Sprintf("not valid UTF-8 at byte %d", invalidAt(m.Data))), Allowed: "UTF-8"}
		}
		return nil
	}
	return &result.ArgumentError{Name: "type of a message", Value: int(m.Type), Allowed: "stream.Text or stream.Binary"}
}

// A fault says in an [result.ArgumentError] what is wrong with a value that is not
// shown.
type fault string

// invalidAt returns where p ceases to be UTF-8.
func invalidAt(p []byte) int {
	at := 0
	for at < len(p) {
		r, n := utf8.DecodeRune(p[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}

// lock waits to be the one who sends a message.
func (w *writer) lock(ctx context.Context) error {
	if w.sending.tryLock() {
		return nil
	}
	select {
	case w.sending.locking() <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.c.close.begun.done():
		return w.c.closedError()
	}
}

// lockForPipe waits to be the one who sends messages, and for room. A pipe may send
// what it holds until the Close frame is queued.
func (w *writer) lockForPipe(ctx context.Context) error {
	if !w.sending.tryLock() {
		select {
		case w.sending.locking() <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.c.Done():
			return w.c.closedError()
		}
	}
	err := w.awaitRoom(ctx)
	if err != nil {
		w.sending.unlock()
	}
	return err
}

// awaitRoom waits until another message may be queued.
func (w *writer) awaitRoom(ctx context.Context) error {
	for {
		full, closed := w.room()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case closed:
			return w.c.closedError()
		case full == nil:
			return nil
		}
		if err := w.wait(ctx, full); err != nil {
			return err
		}
	}
}

// room reports whether no message is taken any more. While there is no room for the
// next, it returns what to wait for.
func (w *writer) room() (full <-chan struct{}, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.outbox.takes():
		return nil, true
	case !w.outbox.roomy():
		return w.changes(), false
	}
	return nil, false
}

// takes reports whether messages are taken.
func (w *writer) takes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outbox.takes()
}

// roomy reports whether another message is taken at once.
func (w *writer) roomy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outbox.takes() && w.outbox.roomy()
}

// accept sends a message of somebody who has locked sending, and unlocks it.
func (w *writer) accept(ctx context.Context, m Message) error {
	defer w.sending.unlock()
	if err := w.open(ctx); err != nil {
		return err
	}
	return w.whole(ctx, m)
}

// open reports why no message may begin.
func (w *writer) open(ctx context.Context) error {
	if w.c.close.begun.fired() {
		return w.c.closedError()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// whole sends one whole message, under sending. An operator's refusal leaves the
// connection as it was, unless a part of the message is already queued.
func (w *writer) whole(ctx context.Context, m Message) (err error) {
	err = errUnfinished // as long as an operator has not returned: it may panic
	defer func() {
		if err != nil {
			w.end(err)
		}
	}()
	return w.piece(ctx, Frame{
		Type: m.Type &^ Verbatim, First: true, Last: true, Begin: true, End: true,
		Verbatim: m.Type&Verbatim != 0, Payload: m.Data,
	})
}

// piece sends a piece of a message through the operators, under sending. The error
// of an operator in a message of which a part is queued ends the connection.
func (w *writer) piece(ctx context.Context, f Frame) error {
	w.ctx = ctx
	err := w.down(w.c.links, f)
	w.ctx = nil
	if err != nil && ctx.Err() == nil && w.tear() {
		w.c.fail(operatorError(err))
	}
	return err
}

var errUnfinished = errors.New("a message was not finished")

// end ends a message that has failed, under sending. If a part of it is queued, it
// ends the connection, too.
func (w *writer) end(err error) {
	if w.tear() {
		w.c.abort(result.StatusInternalError, errUnfinished.Error(), w.c.closeOr(err))
	}
}

// tear gives up the message of which a part is queued. It reports whether there
// is one that the connection is to end for.
func (w *writer) tear() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outbox.tear() && !w.c.close.begun.fired()
}

// down hands a piece to the first of these operators that wants it, or to the
// wire.
func (w *writer) down(links []Link, f Frame) error {
	for i := range links {
		if links[i].out != nil {
			return links[i].out(f)
		}
	}
	for w.fragment > 0 && len(f.Payload) > w.fragment {
		part := f
		part.Last, part.Payload = false, f.Payload[:w.fragment]
		if err := w.data(part); err != nil {
			return err
		}
		f.First, f.Payload = false, f.Payload[w.fragment:]
	}
	return w.data(f)
}

// data queues a data frame, once there is room.
func (w *writer) data(f Frame) error {
	h := wire.Header{Fin: f.Last, Opcode: byte(f.Type), RSV: f.RSV}
	if !f.First {
		h.Opcode, h.RSV = 0, 0
	}
	for {
		full, closed := w.put(h, f.Payload)
		switch {
		case closed:
			return w.c.closedError()
		case full == nil:
			return nil
		}
		w.send(w.ctx)
		if err := w.wait(w.ctx, full); err != nil {
			return err
		}
	}
}

// batch queues, under sending, as many of these messages as there is room for and
// need no more than a frame each, and returns how many: it stops at one that
// cannot be sent, is too large for a frame, or that an operator wants. Who keeps
// them gets them in sent.
func (w *writer) batch(messages []Message, sent *accepted) (n int) {
	if w.c.r.chain.out {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o := &w.outbox
	if !o.takes() {
		return 0
	}
	for ; n < len(messages) && o.roomy(); n++ {
		m := &messages[n]
		if w.fragment > 0 && len(m.Data) > w.fragment || m.check() != nil {
			break
		}
		o.put(wire.Header{Fin: true, Opcode: byte(m.Type &^ Verbatim)}, m.Data)
		sent.add(*m, o.queued)
	}
	return n
}

// put queues a data frame. While there is no room for it, put returns what to wait
// for.
func (w *writer) put(h wire.Header, payload []byte) (full <-chan struct{}, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !w.outbox.takes():
		return nil, true
	case !w.outbox.roomy():
		return w.changes(), false
	}
	w.outbox.put(h, payload)
	return nil, false
}

// wait waits until the outbox has moved.
func (w *writer) wait(ctx context.Context, moved <-chan struct{}) error {
	select {
	case <-moved:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.c.Done():
		return w.c.closedError()
	}
}
