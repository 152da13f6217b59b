package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/check"
)

// A Subscription is one subscriber's view of the inbound messages, which it owns.
// Every subscriber gets every message that comes after it subscribed. The first one
// also gets those that came before it. One that comes after the last has ended also
// gets those that the last was not given. A [Conn.Pause] that is held while several
// subscribe lets all of them begin with the same message. All methods may be called
// from many goroutines.
//
// Whoever wants no more of it cancels its context or calls Cancel: under Block
// a subscriber that just stops receiving holds up the connection, and keeps a
// goroutine when that has ended.
type Subscription[T any] struct {
	// C gives the messages, and is closed when there are no more: after the
	// connection's terminal event, or when the subscription ends alone. What
	// stands in it then was given: the next subscriber does not get it.
	C <-chan T

	// Never changes once it is open.
	ch   chan T
	opts SubscribeOptions
	h    host
	lane lane

	left    event // nobody need wait for room any more: it ends
	dropped atomic.Uint64

	// Guarded by mu.
	mu      sync.Mutex
	ended   bool
	err     error
	unwatch func() bool // ends the watch over the context; nil while there is none
	waiting int         // lanes that wait to send on ch: the last one closes it
	skips   *skips      // what the policy dropped; nil if it drops nothing
}

// Err returns why C was closed: nil after a success of the connection, the
// error of its terminal event, the cause of the context, or [ErrSlow]. It
// returns nil while C is open.
func (s *Subscription[T]) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting > 0 {
		return nil
	}
	return s.err
}

// Dropped returns how many messages the policy has dropped so far.
func (s *Subscription[T]) Dropped() uint64 { return s.dropped.Load() }

// Cancel ends this subscription alone; Err is context.Canceled then. C is
// closed soon after.
func (s *Subscription[T]) Cancel() {
	if !s.left.fired() {
		s.leave(context.Canceled)
	}
}

// Chan subscribes to the inbound messages. The subscription ends with the connection
// or with ctx. If ctx is nil or opts cannot be used, the subscription has ended
// already, with a *result.ArgumentError. If All or Reader is active, it has ended
// with [ErrTaken].
func (c *Conn) Chan(ctx context.Context, opts *SubscribeOptions) *Subscription[Message] {
	return chanOf(ctx, c, opts)
}

func chanOf(ctx context.Context, h host, opts *SubscribeOptions) *Subscription[Message] {
	s, err := newSubscription[Message](h, opts, defaultQueueSize)
	return s.open(ctx, newSingles(s), err)
}

// newSubscription makes a subscription that has no lane yet. With an error, it
// is one that can only be opened with it.
func newSubscription[T any](h host, opts *SubscribeOptions, size int) (*Subscription[T], error) {
	all, err := opts.complete(size)
	if err != nil {
		all.Size = 0
	}
	s := &Subscription[T]{opts: all, ch: make(chan T, all.Size), h: h}
	s.C = s.ch
	switch all.Policy {
	case DropOldest:
		s.skips = newSkips(all.Size)
	case DropNewest, Latest:
		s.skips = newSkips(1)
	}
	return s, err
}

// open lets a lane of the host give into the subscription until ctx ends. It ends
// with err if there is one.
func (s *Subscription[T]) open(ctx context.Context, l lane, err error) *Subscription[T] {
	s.lane = l
	if none := check.Context(ctx); none != nil {
		err = none
	} else if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		s.watch(ctx)
		if err = s.h.subscribe(l); ctx.Err() != nil {
			s.h.leave(l) // the context may have ended before the lane was there
		}
	}
	if err != nil {
		s.end(err)
	}
	return s
}

// watch lets the subscriber leave when ctx ends.
func (s *Subscription[T]) watch(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unwatch = context.AfterFunc(ctx, func() { s.leave(context.Cause(ctx)) })
}

// leave ends the subscription for its subscriber.
func (s *Subscription[T]) leave(why error) {
	s.left.fire()
	s.h.leave(s.lane)
	s.end(why)
}

// end closes the channel, once. While lanes wait, the last of them does it.
func (s *Subscription[T]) end(err error) {
	s.left.fire()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended, s.err = true, err
	if s.waiting == 0 {
		close(s.ch)
	}
	if s.unwatch != nil {
		s.unwatch()
	}
}

// over reports that the subscription has ended.
func (s *Subscription[T]) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// enter is called by a lane before it waits to send on ch. It returns false if
// the subscription has ended.
func (s *Subscription[T]) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.waiting++
	}
	return !s.ended
}

// exit ends what enter began.
func (s *Subscription[T]) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting--; s.ended && s.waiting == 0 {
		close(s.ch)
	}
}

var errLeft = errors.New("wsflow: the subscription has ended")

// drop drops an item that did not get into the queue, under mu.
func (s *Subscription[T]) drop(item T) {
	s.skips.behind(s.count(item))
}

// dropOldest drops the item that waits longest, under mu, if there is one.
func (s *Subscription[T]) dropOldest() {
	s.skips.lock()
	defer s.skips.unlock()
	select {
	case old := <-s.ch:
		s.skips.front(firstOf(&old).tag, s.count(old))
	default:
	}
}

// count counts an item as dropped and gives its memory back. It returns how many
// messages it has.
func (s *Subscription[T]) count(item T) uint64 {
	n := uint64(1)
	switch v := any(&item).(type) {
	case *Message:
		v.Release()
	case *[]Message:
		release(*v)
		n = uint64(len(*v))
	}
	s.dropped.Add(n)
	return n
}

// firstOf returns the first message of an item of a subscription.
func firstOf[T any](item *T) *Message {
	if m, ok := any(item).(*Message); ok {
		return m
	}
	return &(*any(item).(*[]Message))[0]
}

func release(messages []Message) {
	for _, m := range messages {
		m.Release()
	}
}
