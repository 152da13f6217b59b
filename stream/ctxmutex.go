package stream

import "sync/atomic"

// A ctxMutex is a lock that can be waited for in a select, beside a context.
// Those who wait get it in the order in which they came. Its channel is made
// for the first who waits, and counts from then on: it holds a token while the
// lock is held.
type ctxMutex struct {
	wait atomic.Pointer[chan struct{}] // nil while free, &locked while held, until there is a channel
}

// locked is what a ctxMutex shows that is held and that nobody has waited for.
var locked chan struct{}

// tryLock takes the lock if it is free.
func (m *ctxMutex) tryLock() bool {
	if m.wait.CompareAndSwap(nil, &locked) {
		return true
	}
	ch := m.wait.Load()
	if ch == nil || ch == &locked {
		return false
	}
	select {
	case *ch <- struct{}{}:
		return true
	default:
		return false
	}
}

// locking returns a channel; whoever sends to it holds the lock.
func (m *ctxMutex) locking() chan<- struct{} {
	for {
		old := m.wait.Load()
		if old != nil && old != &locked {
			return *old
		}
		ch := make(chan struct{}, 1)
		if old == &locked {
			ch <- struct{}{}
		}
		m.wait.CompareAndSwap(old, &ch)
	}
}

// unlock lets the lock go.
func (m *ctxMutex) unlock() {
	if !m.wait.CompareAndSwap(&locked, nil) {
		<-*m.wait.Load()
	}
}

// held reports whether somebody holds the lock.
func (m *ctxMutex) held() bool {
	ch := m.wait.Load()
	return ch == &locked || ch != nil && len(*ch) > 0
}
