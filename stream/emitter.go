package stream

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// patience is how long an observer may take nothing once the connection has
// ended, unless its SubscribeOptions have a Timeout.
const patience = 10 * time.Minute

// An emitter hands items to one observer, whose going away is its affair: rxgo
// does not tell. A guard watches over it.
type emitter struct {
	next     chan<- rxgo.Item
	patience time.Duration
	over     <-chan struct{} // closed when the connection has ended

	quit     chan struct{} // closed when the observer is to be left
	finished chan struct{} // closed when nothing more is emitted
	gaveUp   atomic.Bool   // why quit is closed: the observer took nothing for too long
	busy     atomic.Bool   // an item waits for the observer
	taken    atomic.Uint64 // items that had to wait
}

// newEmitter starts an emitter, which ends with finish.
func newEmitter(ctx context.Context, next chan<- rxgo.Item, h host, opts *SubscribeOptions) *emitter {
	e := &emitter{next: next, patience: patience, over: h.Done(), quit: make(chan struct{}), finished: make(chan struct{})}
	if opts.Timeout > 0 {
		e.patience = opts.Timeout
	}
	go e.guard(ctx) // ends with finish
	return e
}

func (e *emitter) finish() { close(e.finished) }

// emit hands an item to the observer. It returns false if the observer is to be
// left: it did not get the item then.
func (e *emitter) emit(item rxgo.Item) bool {
	select {
	case e.next <- item:
		return true
	default:
	}
	e.busy.Store(true)
	select {
	case e.next <- item:
		e.taken.Add(1)
		e.busy.Store(false)
		return true
	case <-e.quit:
		return false
	}
}

// lost is the error of an observer that was given up.
func (e *emitter) lost(n int, end error) error {
	err := fmt.Errorf("%w: it took nothing for %v after the connection ended, and %d messages are lost", ErrSlow, e.patience, n)
	if end != nil {
		err = fmt.Errorf("%w; the connection ended with: %w", err, end)
	}
	return err
}

// guard closes quit when ctx ends, or when the connection has ended and the
// observer takes nothing any more.
func (e *emitter) guard(ctx context.Context) {
	defer close(e.quit)
	select {
	case <-e.finished:
		return
	case <-ctx.Done():
		return
	case <-e.over:
	}
	const parts = 10
	tick := time.NewTicker(max(e.patience/parts, 1))
	defer tick.Stop()
	for still, before := 0, e.taken.Load(); still < parts; {
		select {
		case <-e.finished:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		taken := e.taken.Load()
		if still++; taken != before || !e.busy.Load() {
			still, before = 0, taken
		}
	}
	e.gaveUp.Store(true)
}
