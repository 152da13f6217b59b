package dial

import (
	"context"
	"sync"
)

// A Loop is an event loop for programs that have none of their own: give its
// method Post as Options.Post. It runs posted functions on the goroutine that
// called Run, so that they need no locks among themselves. The zero value is
// ready. All methods may be called from many goroutines, Post also from posted
// functions. It must not be copied.
type Loop struct {
	mu    sync.Mutex
	queue []func()
	wake  chan struct{} // holds a token after a Post
	busy  chan struct{} // holds a token during a Run
}

// Post adds a function to the queue and returns. The queue has no bound of its
// own; a connection keeps at most a few functions in it.
func (l *Loop) Post(run func()) {
	l.mu.Lock()
	l.make()
	l.queue = append(l.queue, run)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run runs posted functions until ctx ends, and returns how many are left: they
// wait for the next Run. A function that runs when ctx ends is waited for. If
// another Run is under way, this one begins when that one returns.
//
// A panic of a function goes through Run to its caller.
func (l *Loop) Run(ctx context.Context) (left int) {
	l.mu.Lock()
	l.make()
	l.mu.Unlock()
	select {
	case l.busy <- struct{}{}:
		defer func() { <-l.busy }()
	case <-ctx.Done():
		return l.waiting()
	}
	for ctx.Err() == nil {
		if run := l.take(); run != nil {
			run()
			continue
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
	return l.waiting()
}

// make is called with the lock held.
func (l *Loop) make() {
	if l.wake == nil {
		l.wake, l.busy = make(chan struct{}, 1), make(chan struct{}, 1)
	}
}

// take returns the next function, or nil.
func (l *Loop) take() func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil
	}
	run := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return run
}

func (l *Loop) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue)
}
