package stream

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// Observable returns the inbound messages as an Observable of [Message] items,
// which the observer owns. Each Observe is a subscription of its own, with a
// queue of its own. It begins on a goroutine of rxgo's, soon after Observe
// returns: where several observers must all get the first messages, let one
// Observable feed them, or use [Conn.Chan]. The Observable completes after a
// success; any other end of the connection is one error item, the last.
//
// The subscription ends with the connection or with the context that Observe
// was given through rxgo.WithContext, without an item then. Operators of rxgo
// may stop receiving without a word (Take, or an error in Map): under [Block]
// the connection then stands still, while its heartbeat goes on, until that
// context ends. Give one, or a Queue with a Deadline or another policy. After
// the connection has ended, an observer that takes nothing for a minute is
// given up.
//
// An observer that is itself unbuffered costs a switch of goroutines for each
// item and operator; see rxgo.WithBufferedChannel, and [Conn.ObservableBatches].
func (c *Conn) Observable(q *Queue) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		c.Produce(ctx, next, q)
	}})
}

// Produce emits the messages to next as [Conn.Observable] does, and returns
// when the stream or ctx ends. It is for an rxgo.Producer of the program's own:
// one that dials, and sends what it has to, each time it is observed.
func (c *Conn) Produce(ctx context.Context, next chan<- rxgo.Item, q *Queue) {
	if err := checkContext(ctx); err != nil {
		next <- rxgo.Error(err)
		return
	}
	all, err := q.complete(defaultQueueSize)
	if err != nil || all.Policy != Block {
		produce(ctx, next, c.Chan(ctx, q), emitOne)
	} else {
		produce(ctx, next, c.bundles(ctx, all), emitEach)
	}
}

// ObservableBatches is Observable with items of type []Message, as
// [Conn.Batches] gives them.
func (c *Conn) ObservableBatches(q *Queue) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		produce(ctx, next, c.Batches(ctx, q), emitOne)
	}})
}

// produce emits what a subscription gives, and then its error.
func produce[T any](ctx context.Context, next chan<- rxgo.Item, s *Subscription[T], emit func(*emitter, T) bool) {
	defer s.Cancel()
	e := newEmitter(ctx, next, s.c)
	defer e.finish()
	for item := range s.C {
		e.busy.Store(true)
		if !emit(e, item) {
			return
		}
		e.busy.Store(false)
	}
	if err := s.Err(); err != nil && ctx.Err() == nil {
		e.busy.Store(true)
		e.emit(rxgo.Error(err))
	}
}

func emitOne[T any](e *emitter, item T) bool { return e.emit(rxgo.Of(item)) }

func emitEach(e *emitter, batch []Message) bool {
	for i := range batch {
		if !e.emit(rxgo.Of(batch[i])) {
			return false
		}
	}
	return true
}
