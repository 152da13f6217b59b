package stream

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

const (
	pendingLimit = 192 << 10 // bytes of frames that may wait before senders do
	writeSize    = 256 << 10 // what one write to the socket is cut to, where control frames wait
	controlLimit = 16 << 10  // bytes of operators' control frames that may wait
	pongLimit    = 2 << 10   // bytes of control frames behind which only the latest Ping is answered
)

// A writer turns pieces of messages into frames and frames into few writes.
//
// Whoever holds the turn is the only one to send a data message; operators' Out
// functions run under it, in wire order. Frames gather in pend. Whoever finds
// the wire free writes them, and all that gather meanwhile; a lone message is
// on its way at once.
type writer struct {
	c *Conn

	sending   ctxMutex    // of the one who sends a message
	fragment  int         // the largest payload of a frame
	streaming atomic.Bool // a Writer has the turn
	begun     bool        // a frame of the message under way was queued
	last      bool        // the message under way has got its last frame

	busy     bool // somebody owns the wire; under mu, as is what follows
	torn     bool // a message was begun and given up: no other may follow it
	mu       sync.Mutex
	shut     bool     // the Close frame is queued: nothing follows it
	broken   bool     // nothing can be written any more
	tapped   bool     // some operator has an Out; never changes
	recent   int32    // bytes of data that the last round wrote
	backlog  *backlog // nil while nothing is to be written
	queued   int64    // bytes of data frames, and of the Close frame
	written  int64    // bytes of those that reached the kernel
	progress chan struct{}
}

// A backlog is what waits to be written. Connections have one only while
// something does.
type backlog struct {
	pend    pending // data frames, and at the end the Close frame
	urgent  pending // control frames, which overtake data
	pong    []byte  // payload of the Pong that is due
	ponging bool    // one is due, behind those in urgent
	keys    *rand.ChaCha8

	// Of the owner of the wire.
	out     pending // was pend
	stop    int     // the end of a frame in out: up to it, nothing overtakes
	outside pending // was urgent
}

var backlogs = sync.Pool{New: func() any { return new(backlog) }}

// open returns the backlog to add to, under the lock.
func (w *writer) open() *backlog {
	if w.backlog == nil {
		w.backlog = backlogs.Get().(*backlog)
		w.backlog.pend.least = int(w.recent)
	}
	return w.backlog
}

// rest gives an empty backlog back, under the lock.
func (w *writer) rest() {
	backlogs.Put(w.backlog)
	w.backlog = nil
}

// full reports, under the lock, whether data must wait for the network.
func (w *writer) full() bool { return w.backlog != nil && w.backlog.pend.n >= pendingLimit }

// pending is encoded frames in borrowed memory.
type pending struct {
	own   *bufpool.Buffer
	n     int
	from  int // bytes of n that were written
	least int // of what is borrowed at first
}

// left returns what is not written yet.
func (p *pending) left() []byte { return p.own.Mem[p.from:p.n] }

// extend returns room for n more bytes, which count as filled.
func (p *pending) extend(n int) []byte {
	if p.own == nil {
		p.own = bufpool.Get(max(n, p.least, 4<<10))
	}
	if p.n+n > len(p.own.Mem) {
		own := bufpool.Get(max(p.n+n, 2*len(p.own.Mem)))
		copy(own.Mem, p.own.Mem[:p.n])
		p.own.Free()
		p.own = own
	}
	p.n += n
	return p.own.Mem[p.n-n : p.n]
}

func (p *pending) free() {
	p.own.Free()
	*p = pending{}
}

func (c *Conn) initWriter(o *Options) {
	w := &c.w
	w.c, w.fragment = c, o.FragmentSize
}

func (w *writer) closedError() error { return w.c.closedError() }

// lock takes the turn.
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
		return w.closedError()
	}
}

func (w *writer) unlock() { w.sending.unlock() }

// admit waits, under the turn, until there is room for the next message.
func (w *writer) admit(ctx context.Context) error {
	if w.c.close.begun.fired() {
		return w.closedError()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.await(ctx, func() bool { return !w.full() })
}

// take takes the turn for a sink, which may still send what it holds while the
// connection waits to send its Close frame.
func (w *writer) take(ctx context.Context) error {
	if !w.sending.tryLock() {
		select {
		case w.sending.locking() <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.c.Done():
			return w.closedError()
		}
	}
	w.mu.Lock()
	err := w.await(ctx, func() bool { return !w.full() || w.shut || w.torn })
	if err == nil && (w.shut || w.torn) {
		err = w.closedError()
	}
	w.mu.Unlock()
	if err != nil {
		w.unlock()
	}
	return err
}

// roomy reports, under the turn, whether another message may be queued.
func (w *writer) roomy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.full() && !w.shut && !w.torn
}

// await waits under the lock until ok; it fails when ctx ends or the wire
// breaks.
func (w *writer) await(ctx context.Context, ok func() bool) error {
	for !ok() {
		if w.broken {
			return w.closedError()
		}
		if w.progress == nil {
			w.progress = make(chan struct{})
		}
		progress := w.progress
		w.mu.Unlock()
		var err error
		select {
		case <-progress:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-w.c.promise.Done():
			err = w.closedError()
		}
		w.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

// moved tells those who wait that something was written, under the lock.
func (w *writer) moved() {
	if w.progress != nil {
		close(w.progress)
		w.progress = nil
	}
}

// message sends one whole message, under the turn. An operator's refusal leaves
// the connection as it was, unless a part of the message is already queued.
func (w *writer) message(m Message) error {
	w.begun, w.last = false, false
	f := Frame{Type: m.Type &^ Verbatim, First: true, Last: true, Begin: true, End: true, Verbatim: m.Type&Verbatim != 0, Payload: m.Data}
	return w.piece(f)
}

// batch sends, under the turn, as many of these messages as there is room for
// and need no more than a frame each, and returns how many: it stops at one that
// cannot be sent, is too large for a frame, or that an operator wants.
func (w *writer) batch(messages []Message) (n int) {
	if w.tapped {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut || w.torn || w.broken {
		return 0
	}
	for ; n < len(messages) && !w.full(); n++ {
		m := &messages[n]
		if w.fragment > 0 && len(m.Data) > w.fragment || m.check() != nil {
			break
		}
		w.queued += int64(w.frame(&w.open().pend, wire.Header{Fin: true, Opcode: byte(m.Type &^ Verbatim)}, m.Data))
		m.Release()
	}
	return n
}

// piece sends a piece of a message through the operators.
func (w *writer) piece(f Frame) error {
	err := w.down(w.c.links, f)
	if err == nil || !w.begun || w.last {
		return err
	}
	if !w.ended() {
		w.c.fail(operatorError(err))
	}
	w.tear()
	return err
}

// tear says, under the turn, that the message under way has no end.
func (w *writer) tear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.torn = true
}

// ended reports that nothing more can be queued.
func (w *writer) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shut || w.broken || w.c.close.begun.fired()
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

// data queues a data frame.
func (w *writer) data(f Frame) error {
	h := wire.Header{Fin: f.Last, Opcode: byte(f.Type), RSV: f.RSV}
	if !f.First {
		h.Opcode, h.RSV = 0, 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut || w.torn || w.broken {
		return w.closedError()
	}
	w.queued += int64(w.frame(&w.open().pend, h, f.Payload))
	w.begun, w.last = true, f.Last
	return nil
}

// frame encodes a frame, under the lock, and returns its size.
//
// "The masking key is a 32-bit value chosen at random by the client. When
// preparing a masked frame, the client MUST pick a fresh masking key from the
// set of allowed 32-bit values. The masking key needs to be unpredictable."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3
func (w *writer) frame(p *pending, h wire.Header, payload []byte) int {
	h.Length = int64(len(payload))
	if w.c.r.role == Client {
		h.Masked, h.Key = true, w.open().key()
	}
	room := p.extend(wire.MaxHeader + len(payload))
	head := len(wire.Append(room[:0], h))
	if h.Masked {
		wire.Mask(room[head:], payload, h.Key)
	} else {
		copy(room[head:], payload)
	}
	size := head + len(payload)
	p.n -= len(room) - size
	return size
}

// key draws from a ChaCha8 stream that the system's random source seeded.
func (b *backlog) key() uint32 {
	if b.keys == nil {
		var seed [32]byte
		crand.Read(seed[:])
		b.keys = rand.NewChaCha8(seed)
	}
	return uint32(b.keys.Uint64())
}

// control queues a control frame of an operator.
func (w *writer) control(t Type, payload []byte) error {
	w.mu.Lock()
	if w.shut || w.broken || w.c.close.begun.fired() {
		w.mu.Unlock()
		return w.closedError()
	}
	urgent := &w.open().urgent
	if waiting := urgent.n; waiting > controlLimit {
		w.mu.Unlock()
		return fmt.Errorf("wsflow: %d bytes of control frames wait for the network", waiting)
	}
	w.frame(urgent, wire.Header{Fin: true, Opcode: byte(t)}, payload)
	w.mu.Unlock()
	w.kick()
	return nil
}

// answer queues the Pong for a Ping; the next kick sends it. Where many wait
// already, those after them give way to the latest.
//
// "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in
// response to previous Ping frame(s), the endpoint MAY elect to send a Pong
// frame for only the most recently processed Ping frame."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func (w *writer) answer(payload []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken {
		return
	}
	b := w.open()
	if !b.ponging && b.urgent.n < pongLimit {
		w.frame(&b.urgent, wire.Header{Fin: true, Opcode: byte(Pong)}, payload)
		return
	}
	b.pong, b.ponging = append(b.pong[:0], payload...), true
}

// finish queues the Close frame behind everything else and reports whether it
// is the first.
func (w *writer) finish(code result.StatusCode, reason string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		return false
	}
	w.shut = true
	if w.broken {
		return true
	}
	payload := wire.AppendClose(nil, int(code), reason)
	w.queued += int64(w.frame(&w.open().pend, wire.Header{Fin: true, Opcode: byte(Close)}, payload))
	return true
}
