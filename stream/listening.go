package stream

import (
	"sync"
	"sync/atomic"
	"time"
)

// A listening counts the time in which this side reads from the transport or
// waits for it: the time in which the reader's lock is taken. It counts while
// an operator asks for it; otherwise it costs a reader two loads.
type listening struct {
	operators atomic.Int32 // that ask for it

	mu    sync.Mutex // guards what follows, and Link.counts
	on    bool       // somebody read when last looked, and the time counts
	at    time.Duration
	total time.Duration
}

// heard is called after the reader's lock was taken, and after it was left. What
// the lock says then counts from now on.
func (r *reader) heard() {
	if r.listening.operators.Load() > 0 {
		r.listening.count(&r.mu)
	}
}

func (l *listening) count(lock *ctxMutex) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look(lock)
}

// look counts the time since the last look, and sees whether somebody reads.
func (l *listening) look(lock *ctxMutex) {
	at := now()
	if l.on {
		l.total += at - l.at
	}
	l.at, l.on = at, l.operators.Load() > 0 && lock.held()
}

// CountListened says whether this operator needs [Link.Listened] to count from now on.
// At first it does not. Time counts while any operator of the connection needs it.
func (l *Link) CountListened(on bool) {
	r := &l.conn.r
	s := &r.listening
	s.mu.Lock()
	defer s.mu.Unlock()
	if on == l.counts {
		return
	}
	l.counts = on
	if on {
		s.operators.Add(1)
	} else {
		s.operators.Add(-1)
	}
	s.look(&r.mu)
}

// Listened returns for how long this side has listened, which is to read from the
// transport or to wait for it. It does not listen while the consumer is away and the
// look-ahead has not begun or is spent: then the peer's silence proves nothing. Time
// counts only while that is asked for, by [Link.CountListened]: two results can be
// compared if it was between them.
func (l *Link) Listened() time.Duration {
	r := &l.conn.r
	s := &r.listening
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(&r.mu)
	return s.total
}
