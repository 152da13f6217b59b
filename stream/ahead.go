package stream

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
)

// watchEvery is how soon a consumer that took bytes and did not come back is
// taken for being away. Control frames are answered within about this time
// then.
const watchEvery = 900 * time.Millisecond

// closingBound is how far the look-ahead goes in search of the peer's Close
// once this side has sent its own, although nobody takes what comes before it.
const closingBound = 16 << 20

// A lookAhead sees control frames for a consumer that is away: busy in its
// loop, held by a pause, or waiting for a full subscriber. It reads on, into
// memory of its own, walks over the frames and deals with the control frames
// among them; the consumer finds the raw bytes when it comes back, and passes
// over the control frames that were dealt with. Past its bound it stops, and
// TCP holds the peer back.
type lookAhead struct {
	r     *reader
	bound int

	armed atomic.Bool // watch will run
	held  atomic.Bool // the bound is reached: nothing more is read

	own *bufpool.Buffer
	n   int   // bytes of own that follow the reader's buffer
	at  int64 // stream offset of the next header to look at

	messages atomic.Uint64 // whole ones that were walked over
}

// passed is told the offset that the consumer has parsed up to.
func (a *lookAhead) passed(offset int64) { a.at = max(a.at, offset) }

// arm makes watch run soon, if it is not going to already.
func (a *lookAhead) arm() {
	if !a.armed.Load() && !a.armed.Swap(true) {
		a.r.c.schedule(&a.r.c.clock.watch, watchEvery)
	}
}

// watch runs on the clock's goroutine. If nobody is reading it reads ahead,
// until the consumer comes back.
func (a *lookAhead) watch() {
	a.armed.Store(false)
	a.look()
}

// look is watch for somebody who does not wait for the timer.
func (a *lookAhead) look() {
	if a.r.c.ended() || !a.r.mu.tryLock() {
		return // Or the consumer reads. Its next fill arms again.
	}
	a.run(func() bool { return false })
	a.r.release()
	if a.held.Load() {
		a.r.c.discardOn()
	}
}

// run reads ahead under the lock until a consumer wants the lock, stop says so,
// the bound is reached or the stream is over.
func (a *lookAhead) run(stop func() bool) {
	defer a.back()
	r := a.r
	for {
		a.scan()
		if r.over || r.wanted.Load() > 0 || stop() {
			return
		}
		if a.n >= a.bound {
			a.held.Store(true)
			return
		}
		err := a.read()
		if interrupted(err) {
			r.c.t.resume()
		} else if err != nil {
			r.stop(err)
		}
	}
}

// extend raises the bound, under the lock, for the closing handshake. It
// returns false if that was done before.
func (a *lookAhead) extend() bool {
	if a.bound >= closingBound {
		return false
	}
	a.bound = closingBound
	a.held.Store(false)
	return true
}

// read reads once. While it waits for a plain socket it holds one byte, beside
// what it has.
func (a *lookAhead) read() (err error) {
	r, t, n := a.r, &a.r.c.t, 0
	switch {
	case t.raw == nil:
		n, err = t.rwc.Read(a.room())
	case r.drained:
		a.back()
		n, err = t.await()
		r.drained = err != nil
		if n > 0 {
			a.room()[0] = t.first[0]
		}
	default:
		p := a.room()
		n, err = t.tryRead(a.own, p)
		r.drained = n < firstRead && err == nil
	}
	return a.took(n, err)
}

// took counts n bytes, which come before an error.
func (a *lookAhead) took(n int, err error) error {
	a.r.seen(n)
	a.n += n
	if n > 0 {
		return nil
	}
	return err
}

func (a *lookAhead) room() []byte {
	if a.own == nil {
		a.own = bufpool.Get(int(a.r.size))
	}
	if a.n == len(a.own.Mem) {
		own := bufpool.Get(2 * a.n)
		copy(own.Mem, a.own.Mem)
		a.own.Free()
		a.own = own
	}
	return a.own.Mem[a.n:min(len(a.own.Mem), max(a.bound, a.n+1))]
}

// back gives the buffer back while it holds nothing.
func (a *lookAhead) back() {
	if a.n == 0 {
		a.own.Free()
		a.own = nil
	}
}

// takeAhead moves what was read ahead to the reader's buffer and reports
// whether there was any.
func (r *reader) takeAhead() bool {
	a := &r.ahead
	if a.n == 0 {
		return false
	}
	if r.pos == r.end {
		r.drop()
		r.open()
		r.own, r.buf, r.pos, r.end = a.own, a.own.Mem, 0, a.n
	} else {
		r.grow(r.end - r.pos + a.n)
		r.end += copy(r.buf[r.end:], a.own.Mem[:a.n])
		a.own.Free()
	}
	a.own, a.n = nil, 0
	a.held.Store(false)
	return true
}

// scan walks over the frames that were read and deals with the control frames.
// What is no frame ends the connection at once, as nothing behind it can be
// made out; the consumer still gets the messages before it.
func (a *lookAhead) scan() {
	var space [wire.MaxHeader + wire.MaxControl]byte
	for !a.r.over {
		h, n, err := a.header(space[:])
		if err != nil {
			a.r.c.fail(err)
			a.r.stop(nil)
			return
		}
		if n == 0 {
			return
		}
		if h.Opcode >= byte(Close) {
			p := a.peek(space[:h.Length], a.at+int64(n))
			if len(p) < int(h.Length) {
				return
			}
			if h.Masked {
				wire.Mask(p, p, h.Key)
			}
			a.r.dispatch(a.at, Type(h.Opcode), p)
			a.r.c.w.kick()
			if Type(h.Opcode) == Close {
				a.r.stop(nil)
			}
		}
		if h.Fin && h.Opcode < byte(Close) {
			a.messages.Add(1)
		}
		a.at = behind(a.at+int64(n), h.Length)
	}
}

// header reads the header at a.at. It looks at no byte of a payload, which the
// consumer may be unmasking meanwhile.
func (a *lookAhead) header(space []byte) (h wire.Header, n int, err error) {
	p := a.peek(space[:2], a.at)
	if len(p) < 2 {
		return h, 0, nil
	}
	size := 2
	switch p[1] & 0x7F {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if p[1]&0x80 != 0 {
		size += 4
	}
	return a.r.parse(a.peek(space[:size], a.at))
}

// peek copies bytes from the offset on, over the seam of the two buffers.
func (a *lookAhead) peek(dst []byte, offset int64) []byte {
	r, n := a.r, 0
	if from := offset - r.base; from < int64(r.end) {
		n = copy(dst, r.buf[from:r.end])
	}
	if from := offset + int64(n) - r.base - int64(r.end); n < len(dst) && from < int64(a.n) {
		n += copy(dst[n:], a.own.Mem[from:a.n])
	}
	return dst[:n]
}

// behind returns the offset that follows length bytes from an offset on. A
// length may be such that there is none: then it is the last one of all.
func behind(offset, length int64) int64 {
	if length > math.MaxInt64-offset {
		return math.MaxInt64
	}
	return offset + length
}
