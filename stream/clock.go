package stream

import (
	"math"
	"sync"
	"time"
)

// A clock is the one timer of a connection. It wakes the look-ahead and those
// operators that asked for it, and costs no goroutine while it waits.
type clock struct {
	mu    sync.Mutex
	timer *time.Timer   // nil while nothing is due
	watch time.Duration // when the look-ahead is due; 0 is never
}

// epoch is what times are counted from: that takes a third of a time.Time, and
// connections are many. Times may be negative: the clock of testing/synctest
// begins in the year 2000.
var epoch = time.Now()

// now returns the time, counted from epoch.
func now() time.Duration { return time.Since(epoch) }

// wakeAll calls each operator's Timer for the first time.
func (c *Conn) wakeAll() {
	for i := range c.links {
		c.links[i].ring()
	}
}

// ring calls the operator's Timer, unless the connection has begun to close:
// what is left to wait for is bounded by the closing handshake's own timeout.
func (l *Link) ring() {
	c := l.conn
	if l.timer == nil || c.close.begun.fired() {
		return
	}
	again, err := l.timer(time.Now())
	if err != nil {
		c.terminate(err)
		return
	}
	if again > 0 {
		c.schedule(&l.due, again)
	}
}

// schedule sets one of the clock's times.
func (c *Conn) schedule(due *time.Duration, in time.Duration) {
	k := &c.clock
	k.mu.Lock()
	defer k.mu.Unlock()
	at := now()
	*due = at + min(in, math.MaxInt64-max(at, 0))
	c.wind(at)
}

// arm lets the look-ahead watch soon, or takes that back.
func (c *Conn) arm(on bool) {
	k, a := &c.clock, &c.r.ahead
	k.mu.Lock()
	defer k.mu.Unlock()
	if a.armed.Load() == on {
		return
	}
	a.armed.Store(on)
	at := now()
	k.watch = 0
	if on {
		k.watch = at + watchEvery
	}
	c.wind(at)
}

// wind starts the timer, under the lock, for what is due first.
func (c *Conn) wind(at time.Duration) {
	k, next := &c.clock, time.Duration(0)
	if c.ended() {
		return
	}
	earlier := func(due time.Duration) {
		if due != 0 && (next == 0 || due < next) {
			next = due
		}
	}
	earlier(k.watch)
	for i := range c.links {
		earlier(c.links[i].due)
	}
	switch {
	case next == 0 && k.timer != nil:
		k.timer.Stop()
		k.timer = nil
	case next == 0:
	case k.timer == nil:
		k.timer = time.AfterFunc(next-at, c.tick)
	default:
		k.timer.Reset(next - at)
	}
}

// tick runs on the timer's goroutine. The look-ahead comes last, as it may stay
// for long; another tick may run beside it then.
func (c *Conn) tick() {
	k := &c.clock
	k.mu.Lock()
	at := now()
	expired := func(due *time.Duration) bool {
		was := *due
		if was == 0 || was > at {
			return false
		}
		*due = 0
		return true
	}
	watch := expired(&k.watch)
	if watch {
		c.r.ahead.armed.Store(false)
	}
	var rings []*Link
	for i := range c.links {
		if expired(&c.links[i].due) {
			rings = append(rings, &c.links[i])
		}
	}
	c.wind(at)
	k.mu.Unlock()
	for _, l := range rings {
		l.ring()
	}
	if watch {
		c.r.ahead.watch()
	}
}

// stop silences the clock, once the terminal event is there.
func (k *clock) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.timer != nil {
		k.timer.Stop()
	}
}
