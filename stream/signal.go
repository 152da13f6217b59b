package stream

import "sync/atomic"

// A signal is given once. Its channel is made for the first who waits: most
// connections live without.
type signal struct {
	wait atomic.Pointer[chan struct{}] // nil while nobody waits, &given from then on
}

// given is what all signals that were given show. It is closed.
var given = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()

// give gives the signal and reports whether it is the first to do so.
func (s *signal) give() bool {
	old := s.wait.Swap(&given)
	if old == &given {
		return false
	}
	if old != nil {
		close(*old)
	}
	return true
}

func (s *signal) given() bool { return s.wait.Load() == &given }

// done returns a channel that is closed when the signal is given.
func (s *signal) done() <-chan struct{} {
	for {
		if ch := s.wait.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{})
		s.wait.CompareAndSwap(nil, &ch)
	}
}

// A turn is held by one at a time; those who wait get it in the order in which
// they came. Its channel is made for the first who waits, and counts from then
// on: it holds a token while the turn is taken.
type turn struct {
	wait atomic.Pointer[chan struct{}] // nil while free, &taken while taken, until there is a channel
}

// taken is what a turn shows that is taken and that nobody has waited for.
var taken chan struct{}

// try takes the turn if it is free.
func (t *turn) try() bool {
	if t.wait.CompareAndSwap(nil, &taken) {
		return true
	}
	ch := t.wait.Load()
	if ch == nil || ch == &taken {
		return false
	}
	select {
	case *ch <- struct{}{}:
		return true
	default:
		return false
	}
}

// queue returns the channel that takes a token when it is one's turn.
func (t *turn) queue() chan<- struct{} {
	for {
		old := t.wait.Load()
		if old != nil && old != &taken {
			return *old
		}
		ch := make(chan struct{}, 1)
		if old == &taken {
			ch <- struct{}{}
		}
		t.wait.CompareAndSwap(old, &ch)
	}
}

// leave ends the turn.
func (t *turn) leave() {
	if !t.wait.CompareAndSwap(&taken, nil) {
		<-*t.wait.Load()
	}
}
