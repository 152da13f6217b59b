package script

import (
	"sync"
	"time"
)

// patience is how long a script waits for what it wants. Inside a bubble it
// costs nothing.
const patience = time.Minute

// A queue has no bound. One goroutine takes from it.
type queue[T any] struct {
	more chan struct{} // holds a token after a put

	mu    sync.Mutex
	items []T
}

func newQueue[T any]() *queue[T] { return &queue[T]{more: make(chan struct{}, 1)} }

func (q *queue[T]) put(v T) {
	q.mu.Lock()
	q.items = append(q.items, v)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// pop returns the oldest item, or false if there is none now.
func (q *queue[T]) pop() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return v, false
	}
	v, q.items = q.items[0], q.items[1:]
	return v, true
}

// take waits for an item, or for stop.
func (q *queue[T]) take(stop <-chan struct{}) (v T, ok bool) {
	for {
		if v, ok = q.pop(); ok {
			return v, true
		}
		select {
		case <-q.more:
		case <-stop:
			return v, false
		}
	}
}

// takeSoon waits for an item as long as a script is patient.
func (q *queue[T]) takeSoon() (v T, ok bool) {
	stop := make(chan struct{})
	defer time.AfterFunc(patience, func() { close(stop) }).Stop()
	return q.take(stop)
}
