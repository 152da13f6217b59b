// Package serial runs functions one at a time.
package serial

import "sync"

// A Queue holds functions, which run one at a time and in the order in which they
// were added. Who runs them, and where, is up to its user: whoever has claimed it.
// The zero value is empty. All methods may be called from many goroutines.
type Queue struct {
	mu      sync.Mutex
	waiting []func()
	claimed bool
}

// Add adds a function. It runs nothing.
func (q *Queue) Add(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, f)
}

// Len returns how many functions wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// Claim reports whether the caller is to call Run: there is something to run, and
// nobody else does.
func (q *Queue) Claim() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.claimed || len(q.waiting) == 0 {
		return false
	}
	q.claimed = true
	return true
}

// Run calls call with each function that waits, until there is none, and gives up
// the claim of its caller. If call panics or ends the goroutine, the rest is run on
// another.
func (q *Queue) Run(call func(func())) {
	whole := false
	defer func() {
		if !whole {
			go q.Run(call) // ends when nothing waits
		}
	}()
	for f := q.next(); f != nil; f = q.next() {
		call(f)
	}
	whole = true
}

// next is Take, and gives up the claim where nothing waits.
func (q *Queue) next() func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claimed = len(q.waiting) > 0
	return q.take()
}

// Take removes the function whose turn it is and returns it, or nil if none waits.
// It is for one who needs no claim, as nobody else runs the functions.
func (q *Queue) Take() func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take()
}

func (q *Queue) take() func() {
	if len(q.waiting) == 0 {
		return nil
	}
	f := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return f
}
