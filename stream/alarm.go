package stream

import (
	"sync"
	"time"
)

// alarms wake the operators that asked for it.
type alarms struct {
	mu   sync.Mutex
	list []*alarm
	off  bool
}

// An alarm is the timer of one operator. It costs no goroutine while it waits.
type alarm struct {
	c     *Conn
	tap   func(time.Time) (time.Duration, error)
	timer *time.Timer
}

// wake calls each operator's Timer for the first time.
func (c *Conn) wake() {
	for _, a := range c.alarms.list {
		a.ring()
	}
}

// ring calls the operator, unless the connection has begun to close: what is
// left to wait for is bounded by the closing handshake's own timeout.
func (a *alarm) ring() {
	if a.c.close.begun.given() {
		return
	}
	again, err := a.tap(time.Now())
	if err != nil {
		a.c.terminate(err)
		return
	}
	if again <= 0 {
		return
	}
	s := &a.c.alarms
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.off:
	case a.timer == nil:
		a.timer = time.AfterFunc(again, a.ring)
	default:
		a.timer.Reset(again)
	}
}

// stop silences all alarms.
func (s *alarms) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = true
	for _, a := range s.list {
		if a.timer != nil {
			a.timer.Stop()
		}
	}
}
