package stream

import (
	"sync"
	"sync/atomic"
)

// pauses counts the pauses that are held.
type pauses struct {
	mu      sync.Mutex
	n       int
	resumed chan struct{} // nil unless paused; closed when the last pause ends
}

func (p *pauses) current() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resumed
}

// Pause stops the delivery of messages until resume is called. Meanwhile only
// control frames are dealt with. Messages wait here until the look-ahead is spent,
// and then at the peer. Pauses are counted: delivery goes on when each has been
// resumed. A second call of the same resume does nothing.
//
// Messages that already wait in a subscription's queue can still be taken. The
// heartbeat goes on while a pause is held, and so does a closing handshake. A
// pause that is still held at the connection's end keeps its streams from ending
// until it is resumed or [Conn.CloseNow] is called; [Conn.Done] does not wait.
// Pause and resume may be called from anywhere, in callbacks too.
func (c *Conn) Pause() (resume func()) {
	return c.pauses.hold(&c.r.attention, c.t.interrupt)
}

// hold holds a pause until resume is called, which calls then. While any is held,
// attention is raised by one.
func (p *pauses) hold(attention *atomic.Int32, then func()) (resume func()) {
	p.mu.Lock()
	if p.n++; p.n == 1 {
		p.resumed = make(chan struct{})
		attention.Add(1)
	}
	p.mu.Unlock()
	return sync.OnceFunc(func() {
		p.mu.Lock()
		if p.n--; p.n == 0 {
			close(p.resumed)
			p.resumed = nil
			attention.Add(-1)
		}
		p.mu.Unlock()
		then()
	})
}
