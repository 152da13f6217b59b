package dial

import (
	"context"
	"sync"

	"github.com/wsflow/wsflow/internal/serial"
)

// A Loop is an event loop for programs that have none of their own: give its
// method Post as Options.Post. It runs posted functions on the goroutine that
// called Run, so that they need no locks among themselves. The zero value is
// ready. All methods may be called from many goroutines, Post also from posted
// functions. It must not be copied.
type Loop struct {
	queue serial.Queue
	made  sync.Once
	wake  chan struct{} // holds a token after a Post
	busy  chan struct{} // holds a token during a Run
}

// Post adds a function to the queue and returns. The queue has no bound of its
// own; a connection keeps at most a few functions in it.
func (l *Loop) Post(run func()) {
	l.made.Do(l.make)
	l.queue.Add(run)
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
	l.made.Do(l.make)
	select {
	case l.busy <- struct{}{}:
		defer func() { <-l.busy }()
	case <-ctx.Done():
		return l.queue.Len()
	}
	for ctx.Err() == nil {
		if run := l.queue.Take(); run != nil {
			run()
			continue
		}
		select {
		case <-l.wake:
		case <-ctx.Done():
		}
	}
	return l.queue.Len()
}

func (l *Loop) make() {
	l.wake, l.busy = make(chan struct{}, 1), make(chan struct{}, 1)
}
