package stream

import (
	"sync/atomic"
	"time"

	"github.com/wsflow/wsflow/internal/wire"
)

const (
	// watchEvery is how often a consumer that took bytes is looked after. One
	// that has not come back for one round is away. Control frames are answered
	// within about two rounds then.
	watchEvery = 450 * time.Millisecond

	// littleAhead is how many bytes are read ahead in the first round that a
	// consumer is away: connections are many, and most consumers come back.
	littleAhead = 32 << 10

	// closingBound is how far the look-ahead goes in search of the peer's Close
	// once this side has sent its own, although nobody takes what comes before
	// it.
	closingBound = 16 << 20
)

// A lookAhead sees control frames for a consumer that is away: busy in its
// loop, held by a pause, or waiting for a full subscriber. It reads on, walks
// over the frames, and deals with the control frames among them; the consumer
// finds the bytes when it comes back, and passes over the control frames that
// were dealt with. Past its bound it stops, and TCP holds the peer back.
type lookAhead struct {
	r *reader

	armed atomic.Bool // watch will run; set under the clock's lock
	held  atomic.Bool // the bound is reached: nothing more is read

	messages atomic.Uint64 // as many had come when it last looked

	// Guarded by the reader's lock.
	bound  int // bytes that may wait to be parsed
	rounds int // of watch in which the consumer did not come back
}

// arm makes watch run soon, if it is not going to already.
func (a *lookAhead) arm() {
	if !a.armed.Load() {
		a.r.c.arm(true)
	}
}

// disarm takes arm back, for a consumer that is there.
func (a *lookAhead) disarm() {
	if a.armed.Load() {
		a.r.c.arm(false)
	}
}

// progress says, under the lock, that the consumer has come back.
func (a *lookAhead) progress() {
	a.rounds = 0
	a.held.Store(false)
}

// watch runs on the clock's goroutine. Where nobody reads, and the consumer has
// not come back since the last round, it reads ahead.
func (a *lookAhead) watch() {
	r := a.r
	if r.c.ended() || !r.tryAcquire() {
		return // Or somebody reads. The consumer's next fill arms again.
	}
	a.rounds++
	switch a.rounds {
	case 1:
	case 2:
		a.run(min(a.bound, littleAhead), never)
	default:
		a.run(a.bound, never)
	}
	again := !r.over && !a.held.Load()
	r.release()
	if again {
		a.arm()
	} else if a.held.Load() {
		r.c.discardOn()
	}
}

func never() bool { return false }

// run reads ahead under the lock until a consumer wants the lock, stop says so,
// the bound is reached or the stream is over.
func (a *lookAhead) run(bound int, stop func() bool) {
	r := a.r
	var space [wire.MaxHeader + wire.MaxControl]byte // operators see it: it is allocated, once
	for {
		a.scan(&space)
		if r.over || r.wanted.Load() > 0 || stop() {
			return
		}
		if r.waiting() >= bound {
			a.held.Store(bound >= a.bound)
			return
		}
		err := a.read()
		if r.c.t.recalled(err) {
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

// read reads once. While it waits for a plain socket it holds no buffer.
func (a *lookAhead) read() error {
	r := a.r
	n := 0
	if r.c.t.raw != nil && r.drained {
		var err error
		if n, err = r.c.t.await(); err != nil {
			return err
		}
		r.drained = false
	}
	p := r.roomAhead(r.pace.next(false))
	if n > 0 {
		p[0] = r.c.t.first[0]
		r.seen(n)
	}
	m, err := 0, error(nil)
	if n < len(p) {
		m, err = r.tryRead(p[n:])
	}
	if r.cameAhead(n + m); n+m > 0 {
		return nil // an error comes again, behind what came
	}
	return err
}

// scan deals with the control frames that came. What is no frame ends the
// connection at once, as nothing behind it can be made out; the consumer still
// gets the messages before it.
func (a *lookAhead) scan(space *[wire.MaxHeader + wire.MaxControl]byte) {
	r := a.r
	for !r.over {
		at, t, payload, err := r.inbound.scan(space)
		a.messages.Store(r.walked)
		if err != nil {
			r.c.fail(err)
			r.stop(nil)
			return
		}
		if t == 0 {
			return
		}
		r.dispatch(at, t, payload)
		r.c.w.kick()
		if t == Close {
			r.stop(nil)
		}
	}
}
