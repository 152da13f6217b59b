package stream

import (
	"context"
	"time"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/zap"
)

// Observable returns the inbound messages as an Observable of [Message] items,
// which the observer owns. Each Observe is a subscription of its own, with a
// queue of its own, that begins when it is made. The Observable completes after
// a success; any other end of the connection is one error item, the last.
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
	return observable(q, c.Chan)
}

// ObservableBatches is Observable with items of type []Message, as
// [Conn.Batches] gives them.
func (c *Conn) ObservableBatches(q *Queue) rxgo.Observable {
	return observable(q, c.Batches)
}

// giveUpAfter is how long an observer may take nothing once the connection has
// ended.
const giveUpAfter = time.Minute

func observable[T any](q *Queue, subscribe func(context.Context, *Queue) *Subscription[T]) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		s := subscribe(ctx, q)
		defer s.Cancel()
		for item := range s.C {
			if !s.emit(ctx, next, rxgo.Of(item)) {
				return
			}
		}
		if err := s.Err(); err != nil && ctx.Err() == nil {
			s.emit(ctx, next, rxgo.Error(err))
		}
	}})
}

// emit hands an item to the observer. It returns false if the observer is
// gone.
func (s *Subscription[T]) emit(ctx context.Context, next chan<- rxgo.Item, item rxgo.Item) bool {
	select {
	case next <- item:
		return true
	default:
	}
	var over <-chan time.Time
	done := s.c.Done()
	for {
		select {
		case next <- item:
			return true
		case <-ctx.Done():
			return false
		case <-done:
			done = nil
			t := time.NewTimer(giveUpAfter)
			defer t.Stop()
			over = t.C
		case <-over:
			s.c.log().Warn("an observer was given up: it took no item after the connection ended", zap.Duration("for", giveUpAfter))
			return false
		}
	}
}
