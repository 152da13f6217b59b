package stream

import (
	"context"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
)

// Flush waits until all that was accepted before it, and what stood in the
// Sinks' channels then, has reached the kernel. That says nothing of the peer:
// neither that it received nor that it read it.
//
// The error is the context's cause, or that the connection has ended. Where it
// has Sinks, it may be the latter although all had been written.
func (c *Conn) Flush(ctx context.Context) error {
	if err := checkContext(ctx); err != nil {
		return err
	}
	if err := c.sinks.drain(ctx); err != nil {
		return err
	}
	w := &c.w
	w.kick()
	w.mu.Lock()
	defer w.mu.Unlock()
	target := w.queued
	return w.await(ctx, func() bool { return w.written >= target })
}

// own takes the wire, if it is free and there is something to write.
func (w *writer) own() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy || w.broken || w.backlog == nil {
		return false
	}
	w.busy = true
	return true
}

// kick sees that what is queued gets written, without waiting for the network.
func (w *writer) kick() {
	if !w.own() {
		return
	}
	if w.c.t.raw == nil || !w.run(w.c.t.tryWrite) {
		go w.run(w.c.t.write) // ends when nothing is queued, or with the transport
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

// push writes what is queued, waiting for the network.
func (w *writer) push() {
	if w.own() {
		w.run(w.c.t.write)
	}
}

// run writes for the one who owns the wire until nothing is queued. It reports
// false, still owning the wire, if write took less than it was given.
func (w *writer) run(write func(*bufpool.Buffer, []byte) (int, error)) bool {
	for {
		own, p, data := w.next()
		if own == nil {
			return true
		}
		n, err := write(own, p)
		w.wrote(n, data)
		if err != nil {
			w.c.writeFailed(err)
			return true
		}
		if n < len(p) {
			return false
		}
	}
}

// next returns what to write next, the buffer that it lies in, and whether it is
// data; nil gives the wire up. Control frames go first wherever a frame of data
// ends.
func (w *writer) next() (own *bufpool.Buffer, p []byte, data bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return nil, nil, false
	}
	b := w.backlog
	if b.ponging {
		w.frame(&b.urgent, wire.Header{Fin: true, Opcode: byte(Pong)}, b.pong)
		b.ponging = false
	}
	if b.outside.n == 0 && b.out.from == b.stop && b.urgent.n > 0 {
		b.outside, b.urgent = b.urgent, pending{}
	}
	if b.outside.n > 0 {
		return b.outside.own, b.outside.left(), false
	}
	if b.out.n == 0 && b.pend.n > 0 {
		w.recent = int32(min(b.pend.n, writeSize))
		b.out, b.pend = b.pend, pending{least: int(w.recent)}
	}
	if b.out.n == 0 {
		w.busy = false
		w.rest()
		return nil, nil, false
	}
	if b.out.from == b.stop {
		b.stop = b.out.boundary(writeSize)
	}
	return b.out.own, b.out.own.Mem[b.out.from:b.stop], true
}

// boundary returns the first end of a frame at or behind size bytes from here.
func (p *pending) boundary(size int) int {
	if p.n-p.from <= size {
		return p.n
	}
	at := p.from
	for at < p.n && at-p.from < size {
		h, n, _ := wire.Parse(p.own.Mem[at:p.n])
		at += n + int(h.Length)
	}
	return at
}

// wrote counts n bytes that reached the kernel.
func (w *writer) wrote(n int, data bool) {
	w.mu.Lock()
	p := &w.backlog.outside
	if data {
		p = &w.backlog.out
		w.written += int64(n)
		w.moved()
	}
	if p.from += n; p.from == p.n {
		p.free()
		if data {
			w.backlog.stop = 0
		}
	}
	done := w.shut && w.written == w.queued
	w.mu.Unlock()
	if done && data {
		w.c.closeWritten()
	}
}

// broke records that nothing can be written any more, for the owner of the wire.
func (w *writer) broke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return
	}
	w.broken = true
	if b := w.backlog; b != nil {
		for _, p := range []*pending{&b.pend, &b.out, &b.urgent, &b.outside} {
			p.free()
		}
		b.ponging, b.stop = false, 0
		w.rest()
	}
	w.moved()
}
