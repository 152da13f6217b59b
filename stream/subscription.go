package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// A Subscription is one subscriber's view of the inbound messages, which it
// owns. Every subscriber gets every message that comes after it subscribed; the
// first one gets those that came before as well. A [Conn.Pause] that is held
// while several subscribe lets all of them begin with the same message. All
// methods may be called from many goroutines.
//
// Whoever wants no more of it cancels its context or calls Cancel: under Block
// a subscriber that just stops receiving holds up the connection, and keeps a
// goroutine when that has ended.
type Subscription[T any] struct {
	// C gives the messages, and is closed when there are no more: after the
	// connection's terminal event, or when the subscription ends alone.
	C <-chan T

	c       *Conn
	ch      chan T
	q       Queue
	ctx     context.Context
	cancel  context.CancelCauseFunc
	dropped atomic.Uint64
	timer   *time.Timer // of the pump, as is arena
	arena   arena

	mu      sync.Mutex
	err     error
	ended   atomic.Bool // set under mu
	waiting bool        // the pump waits to send on ch: only the pump may close it
}

// Err returns why C was closed: nil after a success of the connection, the
// error of its terminal event, the cause of the context, or [ErrSlow]. It
// returns nil while C is open.
func (s *Subscription[T]) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Dropped returns how many messages the policy has dropped so far.
func (s *Subscription[T]) Dropped() uint64 { return s.dropped.Load() }

// Cancel ends this subscription alone; Err is context.Canceled then. C is
// closed soon after.
func (s *Subscription[T]) Cancel() { s.cancel(nil) }

// Chan subscribes to the inbound messages. The subscription ends with the
// connection or with ctx. A queue that cannot be used, or a nil ctx, is a
// subscription that has ended with a *result.ArgumentError; one that begins while All or Reader
// is active ends with [ErrTaken].
func (c *Conn) Chan(ctx context.Context, q *Queue) *Subscription[Message] {
	return subscribe(c, ctx, q, defaultQueueSize, func(s *Subscription[Message]) subscriber { return single{s} })
}

// Batches is Chan with slices: each has the messages that came with one read
// from the network, at most 256. The receiver owns the slice, too, until it has
// released the last of its messages: the slice is used again then, like their
// memory. Where messages come in bursts it costs a fraction of what Chan costs a
// message, and nothing is allocated for those that are released. For messages
// that come one by one, or through an operator such as compression, a slice is
// allocated for each batch.
func (c *Conn) Batches(ctx context.Context, q *Queue) *Subscription[[]Message] {
	return subscribe(c, ctx, q, defaultBatches, func(s *Subscription[[]Message]) subscriber { return &batcher{s: s, max: batchMax} })
}

// bundles is Chan for a Block subscriber that takes messages out of small
// batches itself: q counts messages.
func (c *Conn) bundles(ctx context.Context, q Queue) *Subscription[[]Message] {
	size := min(bundleMax, q.Size)
	q.Size = max(1, q.Size/size-1)
	return subscribe(c, ctx, &q, defaultBatches, func(s *Subscription[[]Message]) subscriber { return &batcher{s: s, max: size} })
}

func subscribe[T any](c *Conn, ctx context.Context, q *Queue, size int, face func(*Subscription[T]) subscriber) *Subscription[T] {
	all, err := q.complete(size)
	if none := checkContext(ctx); none != nil {
		ctx, err = context.Background(), none
	}
	if err != nil {
		all.Size = 0
	}
	s := &Subscription[T]{c: c, q: all, ch: make(chan T, all.Size)}
	s.C = s.ch
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	if err == nil {
		err = c.source.shared().join(c, face(s))
	}
	if err != nil {
		s.end(err)
		return s
	}
	context.AfterFunc(s.ctx, func() { s.end(context.Cause(s.ctx)) })
	return s
}

// end closes the channel, once. A waiting pump closes it itself.
func (s *Subscription[T]) end(err error) {
	s.mu.Lock()
	if !s.ended.Load() && !s.waiting {
		s.err = err
		s.ended.Store(true)
		close(s.ch)
	}
	s.mu.Unlock()
	s.cancel(nil)
}

// offer is put with the lock.
func (s *Subscription[T]) offer(item T) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(item)
}

// put puts an item into the queue as the policy says, under the lock. It
// returns false if the subscriber has to be waited for, and an error if the
// subscription is over.
func (s *Subscription[T]) put(item T) (bool, error) {
	if s.ended.Load() {
		return true, errLeft
	}
	for {
		select {
		case s.ch <- item:
			return true, nil
		default:
		}
		switch s.q.Policy {
		case Block:
			s.waiting = true
			return false, nil
		case Fail:
			return true, ErrSlow
		case DropNewest:
			s.drop(item)
			return true, nil
		}
		select {
		case old := <-s.ch:
			s.drop(old)
		default:
		}
	}
}

var errLeft = errors.New("wsflow: the subscription has ended")

func (s *Subscription[T]) drop(item T) {
	switch v := any(item).(type) {
	case Message:
		s.dropped.Add(1)
		v.Release()
	case []Message:
		s.dropped.Add(uint64(len(v)))
		release(v)
	}
}

func release(batch []Message) {
	for _, m := range batch {
		m.Release()
	}
}

const (
	aheadAfter = time.Millisecond // when a pump that waits lets somebody else read
	warnAfter  = 10 * time.Second
)

// wait puts an item into a full queue of a Block subscriber, and returns an
// error if the subscription is over. Meanwhile control frames are looked after.
func (s *Subscription[T]) wait(item T) error {
	err := s.await(item)
	s.mu.Lock()
	s.waiting = false
	s.mu.Unlock()
	if err == nil && s.ctx.Err() != nil { // end may have left the rest to us
		s.end(context.Cause(s.ctx))
	}
	return err
}

func (s *Subscription[T]) await(item T) error {
	if s.timer == nil {
		s.timer = time.NewTimer(aheadAfter)
	} else {
		s.timer.Reset(aheadAfter)
	}
	defer s.timer.Stop()
	start := time.Now()
	for {
		select {
		case s.ch <- item:
			return nil
		case now := <-s.timer.C:
			next, err := s.stalled(now.Sub(start))
			if err != nil {
				return err
			}
			if next > 0 {
				s.timer.Reset(next)
			}
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		case <-s.c.quit.done():
			return s.c.outcome(context.Background())
		}
	}
}

// stalled deals with a queue that has stood still for so long, and returns when
// to look again; 0 is never.
func (s *Subscription[T]) stalled(d time.Duration) (again time.Duration, err error) {
	if d < warnAfter {
		go s.c.r.ahead.look() // ends when the pump reads again, or with the connection
		s.c.source.shared().restFree()
		again = warnAfter - d
	} else {
		s.c.log().Warn("a Block subscriber takes no messages and holds up the connection", zap.Duration("for", d))
	}
	if s.q.Deadline == 0 {
		return again, nil
	}
	if d >= s.q.Deadline {
		return 0, ErrSlow
	}
	if left := s.q.Deadline - d; again == 0 || left < again {
		again = left
	}
	return again, nil
}
