package stream

import "sync/atomic"

// An event happens once. Its channel is made for the first who waits: most
// connections live without.
type event struct {
	wait atomic.Pointer[chan struct{}] // nil while nobody waits, &happened once it was fired
}

// happened is what all events show that were fired. It is closed.
var happened = func() chan struct{} {
	ch := make(chan struct{})
	close(ch)
	return ch
}()

// fire makes the event happen and reports whether this was the first call.
func (e *event) fire() bool {
	old := e.wait.Swap(&happened)
	if old == &happened {
		return false
	}
	if old != nil {
		close(*old)
	}
	return true
}

func (e *event) fired() bool { return e.wait.Load() == &happened }

// done returns a channel that is closed when the event happens.
func (e *event) done() <-chan struct{} {
	for {
		if ch := e.wait.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{})
		e.wait.CompareAndSwap(nil, &ch)
	}
}

// A bell wakes one who waits for a change. Its channel is made when somebody waits for
// the first time.
type bell struct{ made atomic.Pointer[chan struct{}] }

// ring wakes whoever waits, or the next one who does.
func (b *bell) ring() {
	if ch := b.made.Load(); ch != nil {
		select {
		case *ch <- struct{}{}:
		default:
		}
	}
}

// wait returns a channel that gives something after the next change. Whoever waits looks
// for earlier ones after the call.
func (b *bell) wait() <-chan struct{} {
	for {
		if ch := b.made.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{}, 1)
		b.made.CompareAndSwap(nil, &ch)
	}
}
