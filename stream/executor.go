package stream

import "github.com/wsflow/wsflow/internal/serial"

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
