package stream

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/zap"
)

// giveUpAfter is how long an observer may take nothing once the connection has
// ended.
const giveUpAfter = time.Minute

// An emitter hands items to one observer, whose going away is its affair: rxgo
// does not tell.
//
// It waits in plain sends, as a select that could be left costs twice as much
// for each item. A guard frees it in another way: it takes the item that nobody
// else takes any more. For that it needs the receiving end of a channel of
// which rxgo hands out the sending end alone.
type emitter struct {
	c    *Conn
	next chan rxgo.Item

	phase    atomic.Int32
	busy     atomic.Bool   // it has items to hand on
	taken    atomic.Uint64 // items, after the connection's end
	finished chan struct{}
}

// The phases of an emitter.
const (
	emitting   int32 = iota
	outlasting       // the connection has ended: the guard looks at taken
	leaving          // the observer is gone
)

// newEmitter starts an emitter, which ends with finish.
func newEmitter(ctx context.Context, next chan<- rxgo.Item, c *Conn) *emitter {
	e := &emitter{c: c, next: bothWays(next), finished: make(chan struct{})}
	go e.guard(ctx) // ends with finish
	return e
}

// bothWays returns next as the channel that it is. The direction is in the type
// alone: the value is the same.
func bothWays(next chan<- rxgo.Item) chan rxgo.Item {
	return *(*chan rxgo.Item)(unsafe.Pointer(&next))
}

func (e *emitter) finish() { close(e.finished) }

// emit hands an item to the observer. It returns false if the observer is
// gone.
func (e *emitter) emit(item rxgo.Item) bool {
	if e.phase.Load() == leaving {
		return false
	}
	e.next <- item
	if e.phase.Load() == outlasting {
		e.taken.Add(1)
	}
	return true
}

// guard frees the emitter once its context has ended or its observer is given
// up.
func (e *emitter) guard(ctx context.Context) {
	select {
	case <-e.finished:
		return
	case <-ctx.Done():
	case <-e.c.Done():
		if !e.outlast(ctx) {
			return
		}
	}
	e.phase.Store(leaving)
	for len(e.next) == cap(e.next) {
		select {
		case <-e.next:
		case <-e.finished:
			return
		}
	}
}

// outlast waits, after the connection's end, while the observer takes what is
// left. It returns false when it has taken all of it.
func (e *emitter) outlast(ctx context.Context) bool {
	e.phase.Store(outlasting)
	tick := time.NewTicker(giveUpAfter)
	defer tick.Stop()
	for before := uint64(0); ; {
		select {
		case <-e.finished:
			return false
		case <-ctx.Done():
			return true
		case <-tick.C:
		}
		taken := e.taken.Load()
		if taken == before && e.busy.Load() {
			e.c.log().Warn("an observer was given up: it took no item after the connection ended", zap.Duration("for", giveUpAfter))
			return true
		}
		before = taken
	}
}
