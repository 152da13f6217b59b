package result

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/serial"
)

// A Promise holds the terminal event of one connection. It is settled exactly
// once; it resolves with a [Status] or is rejected with an error. All methods
// may be called from many goroutines, before and after that.
type Promise struct {
	post   func(func())
	status atomic.Pointer[Status]       // nil until it is settled
	then   atomic.Pointer[serial.Queue] // nil until there are continuations

	mu   sync.Mutex
	done chan struct{} // nil until somebody asks for it
}

// NewPromise returns a promise and the function that settles it. The promise
// is rejected if the status has an Err, and resolves if it has none. The first
// call of settle settles and returns true; later calls do nothing.
//
// Continuations are handed to post, one by one; if post is nil they run on the
// goroutine that settles, or on the one that adds them later.
func NewPromise(post func(func())) (p *Promise, settle func(Status) bool) {
	if post == nil {
		post = func(f func()) { f() }
	}
	p = &Promise{post: post}
	return p, p.settle
}

func (p *Promise) settle(s Status) bool {
	if !p.set(s) {
		return false
	}
	p.run()
	return true
}

// set makes the status final, unless there is one.
func (p *Promise) set(s Status) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.status.CompareAndSwap(nil, &s) {
		return false
	}
	if p.done != nil {
		close(p.done)
	}
	return true
}

// run hands on the continuations that wait, if there is a status to give them and
// nobody else does.
func (p *Promise) run() {
	if then := p.then.Load(); then != nil && p.final() != nil && then.Claim() {
		then.Run(p.post)
	}
}

// Then adds continuations: resolved runs when the promise resolves, rejected
// when it is rejected. Either may be nil. Exactly one of them runs, exactly
// once, also when added to a settled promise; continuations run in the order
// in which they were added, one at a time. Their panics are not recovered.
func (p *Promise) Then(resolved func(Status), rejected func(error)) {
	p.add(func() {
		switch s := p.status.Load(); {
		case s.Err == nil && resolved != nil:
			resolved(*s)
		case s.Err != nil && rejected != nil:
			rejected(s.Err)
		}
	})
	p.run()
}

func (p *Promise) add(f func()) {
	if p.then.Load() == nil {
		p.then.CompareAndSwap(nil, new(serial.Queue))
	}
	p.then.Load().Add(f)
}

// Done returns a channel that is closed when the promise is settled.
func (p *Promise) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = make(chan struct{})
		if p.status.Load() != nil {
			close(p.done)
		}
	}
	return p.done
}

// Status returns the final status and true, or false while there is none.
func (p *Promise) Status() (Status, bool) {
	if s := p.final(); s != nil {
		return *s, true
	}
	return Status{}, false
}

// final returns the status, nil while there is none, and not before Done is
// closed.
func (p *Promise) final() *Status {
	if p.status.Load() == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status.Load()
}

// Wait waits until the promise is settled, and returns its status and the Err in
// that. If ctx ends first, the status is zero and the error is the context's cause.
// A nil ctx is an [ArgumentError].
func (p *Promise) Wait(ctx context.Context) (Status, error) {
	if ctx == nil {
		return Status{}, &ArgumentError{Name: "ctx", Allowed: "a context, not nil"}
	}
	if p.final() == nil {
		select {
		case <-p.Done():
		case <-ctx.Done():
			return Status{}, context.Cause(ctx)
		}
	}
	s := p.status.Load()
	return *s, s.Err
}
