package stream

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
)

// Observable returns the inbound messages as an Observable of [Message] items,
// which the observer owns. Each Observe is a subscription of its own, with a
// queue of its own. It begins on a goroutine of rxgo's, soon after Observe
// returns: where several observers must all get the first messages, let one
// Observable feed them, or use [Conn.Chan]. The Observable completes after a
// success; any other end of the connection is one error item, the last.
//
// The subscription ends with the connection or with the context that Observe
// was given through rxgo.WithContext, without an error item then. What it has
// not handed on goes to the next subscriber if there is no other. Operators of
// rxgo may stop receiving without a word (Take, or an error in Map): under
// [Block] the connection then stands still, while its heartbeat goes on, until
// that context ends. Give one, or SubscribeOptions with a Timeout or another
// policy.
//
// After the connection has ended, an observer that takes nothing for ten
// minutes, or for SubscribeOptions.Timeout, loses what is left. It gets an error
// item that says how many messages that are and is [ErrSlow]; one goroutine
// waits with it until it is taken or the observer's context ends.
//
// Under Block messages stand in the queue in bundles of up to 64, as they came
// together, and each 64 of SubscribeOptions.Size are room for one bundle. Of messages
// that come one by one the queue holds no more than there are bundles: with the default
// Size one waits in it. Bytes counts bytes, however they stand.
//
// An observer that is itself unbuffered costs a switch of goroutines for each
// item and operator; see rxgo.WithBufferedChannel, and [Conn.ObservableBatches].
func (c *Conn) Observable(opts *SubscribeOptions) rxgo.Observable {
	return observableOf(c, opts)
}

func observableOf(h host, opts *SubscribeOptions) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		produceMessages(ctx, next, h, opts)
	}})
}

// Produce emits the messages to next as [Conn.Observable] does, and returns
// when the stream or ctx ends. It is for an rxgo.Producer of the program's own:
// one that dials, and sends what it has to, each time it is observed.
func (c *Conn) Produce(ctx context.Context, next chan<- rxgo.Item, opts *SubscribeOptions) {
	produceMessages(ctx, next, c, opts)
}

func produceMessages(ctx context.Context, next chan<- rxgo.Item, h host, opts *SubscribeOptions) {
	if err := check.Context(ctx); err != nil {
		next <- rxgo.Error(err)
		return
	}
	all, err := opts.complete(defaultQueueSize)
	if err != nil || all.Policy != Block {
		produceEach(ctx, next, h, opts)
		return
	}
	// Small batches cost less than messages one by one, and opts count messages.
	size := min(bundleMax, all.Size)
	all.Size = max(1, all.Size/size-1)
	s, err := newSubscription[[]Message](h, &all, 0)
	l := newBatches(s, size)
	l.debts = true
	produce(ctx, next, h, s.open(ctx, l, err), l, emitEach)
}

// produceEach is Produce for a queue of single messages.
func produceEach(ctx context.Context, next chan<- rxgo.Item, h host, opts *SubscribeOptions) {
	s, err := newSubscription[Message](h, opts, defaultQueueSize)
	l := newSingles(s)
	l.debts = true
	produce(ctx, next, h, s.open(ctx, l, err), l, func(e *emitter, m Message) (left []Message, ok bool) {
		if !e.emit(rxgo.Of(m)) {
			return []Message{m}, false
		}
		return nil, true
	})
}

// ObservableBatches is Observable with items of type []Message, as
// [Conn.Batches] gives them.
func (c *Conn) ObservableBatches(opts *SubscribeOptions) rxgo.Observable {
	return observableBatchesOf(c, opts)
}

func observableBatchesOf(h host, opts *SubscribeOptions) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		s, err := newSubscription[[]Message](h, opts, defaultBatches)
		l := newBatches(s, batchMax)
		l.debts = true
		produce(ctx, next, h, s.open(ctx, l, err), l, func(e *emitter, batch []Message) (left []Message, ok bool) {
			if !e.emit(rxgo.Of(batch)) {
				return batch, false
			}
			return nil, true
		})
	}})
}

func emitEach(e *emitter, batch []Message) (left []Message, ok bool) {
	for i := range batch {
		if !e.emit(rxgo.Of(batch[i])) {
			return batch[i:], false
		}
	}
	return nil, true
}

// produce emits what a subscription gives, and then its error. What the observer
// did not take when its context ends is given back.
func produce[T any](ctx context.Context, next chan<- rxgo.Item, h host, s *Subscription[T], l lane, emit func(*emitter, T) (left []Message, ok bool)) {
	if ctx == nil {
		ctx = context.Background()
	}
	defer s.Cancel()
	e := newEmitter(ctx, next, h, &s.opts)
	var left []Message
	gaveUp := false
	for item := range s.C {
		var ok bool
		if left, ok = emit(e, item); !ok {
			gaveUp = e.gaveUp.Load()
			break
		}
	}
	e.finish()
	for item := range s.C {
		left = appendItem(left, item)
	}
	err := s.Err()
	if gaveUp {
		err = e.lost(len(left), err)
		h.log().Warn("an observer was given up: it took nothing after the connection ended", zap.Duration("for", e.patience), zap.Int("lost", len(left)))
		release(left)
		left = nil
	}
	h.giveBack(l, left)
	if err != nil && ctx.Err() == nil {
		select {
		case next <- rxgo.Error(err):
		case <-ctx.Done():
		}
	}
}

// appendItem appends the messages in an item of a subscription.
func appendItem[T any](messages []Message, item T) []Message {
	switch v := any(item).(type) {
	case Message:
		return append(messages, v)
	case []Message:
		return append(messages, v...)
	}
	return messages
}
