package stream

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// A writer is the shell of an outbox. Whoever holds sending turns a message into
// frames, with the operators' Out functions, in wire order: see send.go. Whoever
// finds the wire free writes what has gathered, and all that gathers meanwhile;
// a lone message is on its way at once.
//
// The order of the locks is sending, mu. Neither is held while somebody waits for
// the network, but sending by the one whose message needs room.
type writer struct {
	// These never change.
	c        *Conn
	fragment int // the largest payload of a frame; none if negative

	sending   ctxMutex
	ctx       context.Context // bounds the waits of the message under way; guarded by sending
	streaming atomic.Bool     // a Writer holds sending

	mu sync.Mutex
	// Guarded by mu.
	busy   bool // somebody owns the wire
	outbox outbox
	moved  chan struct{} // see changes; nil while nobody waits
	ping   int64         // bytes of the TCP stream before the operators' last Ping, or unwritten
}

func (c *Conn) initWriter(o *Options) {
	w := &c.w
	w.c, w.fragment, w.ping = c, o.FragmentSize, unwritten
	w.outbox.masks = c.r.role == Client
}

// changes returns, under mu, a channel that is closed when something was written,
// or nothing can be any more.
func (w *writer) changes() <-chan struct{} {
	if w.moved == nil {
		w.moved = make(chan struct{})
	}
	return w.moved
}

// tell wakes those who wait for something to be written, under mu.
func (w *writer) tell() {
	if w.moved != nil {
		close(w.moved)
		w.moved = nil
	}
}

// take takes the wire and returns what is to be written first, if the wire is free
// and there is something to write.
func (w *writer) take() (own *bufpool.Buffer, p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy {
		return nil, nil
	}
	own, p = w.next()
	w.busy = own != nil
	return own, p
}

// wrote tells that n bytes were written, and returns what is to be written next; no
// buffer gives the wire up.
func (w *writer) wrote(n int) (own *bufpool.Buffer, p []byte, closed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	closed = w.outbox.took(n)
	own, p = w.next()
	w.busy = own != nil
	w.tell()
	return own, p, closed
}

// failed tells that the wire broke behind n bytes, and gives it up.
func (w *writer) failed(n int, err error) {
	w.mu.Lock()
	w.outbox.took(n)
	w.outbox.fail()
	w.busy = false
	w.tell()
	w.mu.Unlock()
	w.c.writeFailed(err)
}

// broke drops what is queued, as nothing can be written any more.
func (w *writer) broke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outbox.fail()
	w.tell()
}

// kick sees that what is queued gets written, without waiting for the network.
func (w *writer) kick() {
	own, p := w.take()
	if own != nil && w.c.t.raw != nil {
		own, p = w.run(w.c.t.tryWrite, own, p)
	}
	if own != nil {
		go w.run(w.c.t.write, own, p) // ends when nothing is queued, or with the transport
	}
}

// push writes what is queued, waiting for the network.
func (w *writer) push() {
	if own, p := w.take(); own != nil {
		w.run(w.c.t.write, own, p)
	}
}

// send sees that what is queued gets written; it may wait for the network if
// ctx never ends.
func (w *writer) send(ctx context.Context) {
	if w.c.t.raw != nil || ctx.Done() != nil {
		w.kick()
	} else {
		w.push()
	}
}

// run writes p, and what gathers meanwhile, for the one who owns the wire. It gives
// the wire up when nothing is queued, unless write takes less than it was given:
// then it returns what comes next.
func (w *writer) run(write func(*bufpool.Buffer, []byte) (int, error), own *bufpool.Buffer, p []byte) (*bufpool.Buffer, []byte) {
	for own != nil {
		n, err := write(own, p)
		if err != nil {
			w.failed(n, err)
			return nil, nil
		}
		short, closed := n < len(p), false
		own, p, closed = w.wrote(n)
		if closed {
			w.c.closeWritten()
		}
		if short {
			break
		}
	}
	return own, p
}

// interject queues a control frame, which may be marked; the next kick sends it.
func (w *writer) interject(t Type, payload []byte, marked bool) error {
	waiting, ok := w.ask(t, payload, marked)
	switch {
	case !ok:
		return w.c.closedError()
	case waiting > 0:
		return fmt.Errorf("wsflow: %d bytes of control frames wait for the network", waiting)
	}
	return nil
}

func (w *writer) ask(t Type, payload []byte, marked bool) (waiting int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.outbox.phase >= boxFinished || w.c.close.begun.fired() {
		return 0, false
	}
	return w.outbox.ask(t, payload, marked), true
}

// answer queues the Pong for a Ping; the next kick sends it.
func (w *writer) answer(payload []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outbox.answer(payload)
}

// finish queues the Close frame behind everything else; the next kick sends it.
func (w *writer) finish(code result.StatusCode, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outbox.finish(wire.AppendClose(nil, int(code), reason))
}

// Flush waits until all that was accepted before it, and what stood in the
// channels of Sinks and Pipes then, has reached the kernel. That says nothing of
// the peer: neither that it received nor that it read it.
//
// The error is the cause of ctx, if it ends first, or one that is net.ErrClosed if
// the connection ended before all was written.
func (c *Conn) Flush(ctx context.Context) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	if err := c.sinks.drain(ctx); err != nil {
		return err
	}
	c.w.kick()
	return c.w.reach(ctx, c.w.offset())
}

// offset returns how many bytes of data were queued.
func (w *writer) offset() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outbox.queued
}

// reach waits until what was queued before an offset has been written. It fails
// with the cause of ctx, or once it is known that no more will be written.
func (w *writer) reach(ctx context.Context, offset int64) error {
	for {
		written, over, moved := w.progress()
		switch {
		case written >= offset:
			return nil
		case over:
			return w.c.closedError()
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// progress returns how many bytes were written, whether those are all that will
// be, and what to wait for until there is more.
func (w *writer) progress() (written int64, over bool, moved <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.outbox.written, w.outbox.over(), w.changes()
}
