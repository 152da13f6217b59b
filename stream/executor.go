package stream

import (
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/serial"
)

// An executor runs functions one at a time, in the order in which they were
// posted, on a goroutine that is there only while there is something to run.
type executor struct {
	queue serial.Queue
	call  func(func()) // runs one
	gate  func()       // waits before the first that a goroutine runs
}

// newExecutor returns an executor that runs functions by call, or right there if that
// is nil.
func newExecutor(call func(func()), gate func()) *executor {
	if call == nil {
		call = func(f func()) { f() }
	}
	return &executor{call: call, gate: gate}
}

func (e *executor) post(f func()) {
	e.queue.Add(f)
	if e.queue.Claim() {
		go e.run() // ends when nothing is posted
	}
}

func (e *executor) run() {
	e.gate()
	e.queue.Run(e.call)
}

// A lazyExecutor is made for the first function: most connections have none.
type lazyExecutor struct{ made atomic.Pointer[executor] }

// post runs f by call, behind what was posted before it and the callbacks of s.
func (l *lazyExecutor) post(f func(), call func(func()), s *source) {
	e := l.made.Load()
	for e == nil {
		l.made.CompareAndSwap(nil, newExecutor(call, s.drained))
		e = l.made.Load()
	}
	e.post(f)
}
