package stream

import (
	"sync"
	"sync/atomic"
)

// A signal is given once. Its channel is made for the first who waits: most
// connections live without.
type signal struct {
	set  atomic.Bool
	mu   sync.Mutex
	wait chan struct{}
}

// give gives the signal and reports whether it is the first to do so.
func (s *signal) give() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set.Swap(true) {
		return false
	}
	if s.wait != nil {
		close(s.wait)
	}
	return true
}

func (s *signal) given() bool { return s.set.Load() }

// done returns a channel that is closed when the signal is given.
func (s *signal) done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wait == nil {
		s.wait = make(chan struct{})
		if s.given() {
			close(s.wait)
		}
	}
	return s.wait
}

// A turn is held by one at a time; those who wait get it in the order in which
// they came. Its channel is made for the first who waits, and counts from then
// on.
type turn struct {
	state atomic.Int32
	mu    sync.Mutex
	wait  chan struct{} // holds a token while the turn is taken
}

// The states of a turn.
const (
	turnFree = iota
	turnTaken
	turnShared // the channel counts
)

// try takes the turn if it is free.
func (t *turn) try() bool {
	if t.state.CompareAndSwap(turnFree, turnTaken) {
		return true
	}
	if t.state.Load() != turnShared {
		return false
	}
	select {
	case t.wait <- struct{}{}:
		return true
	default:
		return false
	}
}

// queue returns the channel that takes a token when it is one's turn.
func (t *turn) queue() chan<- struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.wait == nil {
		t.wait = make(chan struct{}, 1)
		t.wait <- struct{}{}
		if t.state.Swap(turnShared) == turnFree {
			<-t.wait
		}
	}
	return t.wait
}

// leave ends the turn.
func (t *turn) leave() {
	if !t.state.CompareAndSwap(turnTaken, turnFree) {
		<-t.wait
	}
}
