package streamtest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/wsflow/wsflow/stream"
)

// Faults are what operators did wrong. Many goroutines may add to them.
type faults struct {
	mu   sync.Mutex
	errs []error
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errs) < 10 {
		f.errs = append(f.errs, fmt.Errorf(format, args...))
	}
}

func (f *faults) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.errs...)
}

// A guard lends an operator copies of the payloads. It reports those that the
// operator changed, and overwrites them when the operator has no more right to
// them, so that one which kept them corrupts what it hands on.
type guard struct {
	stream.Operator
	faults *faults
}

func guarded(ops []stream.Operator, f *faults) []stream.Operator {
	var gs []stream.Operator
	for _, op := range ops {
		gs = append(gs, guard{op, f})
	}
	return gs
}

func (g guard) Attach(link *stream.Link) (stream.Hooks, error) {
	hooks, err := g.Operator.Attach(link)
	if err != nil {
		return hooks, err
	}
	if hooks.In != nil {
		hooks.In = g.in(hooks.In)
	}
	if hooks.Out != nil {
		hooks.Out = g.handler("Out", hooks.Out)
	}
	if hooks.Control != nil {
		hooks.Control = g.handler("Control", hooks.Control)
	}
	return hooks, nil
}

func (g guard) handler(name string, hook func(stream.Frame) error) func(stream.Frame) error {
	return func(f stream.Frame) error {
		l := lend(f.Payload)
		f.Payload = l.lent
		err := hook(f)
		l.takeBack(g.faults, name)
		return err
	}
}

func (g guard) in(hook func(stream.Frame) (stream.Frame, bool, error)) func(stream.Frame) (stream.Frame, bool, error) {
	var (
		l    loan
		more bool
		out  []byte
	)
	return func(f stream.Frame) (stream.Frame, bool, error) {
		if !more {
			l = lend(f.Payload)
			f.Payload = l.lent
		}
		var (
			to  stream.Frame
			err error
		)
		to, more, err = hook(f)
		out = append(out[:0], to.Payload...)
		to.Payload = out
		if !more {
			l.takeBack(g.faults, "In")
		}
		return to, more, err
	}
}

// spoilt is what overwrites payloads. It is valid text, which arrives.
var spoilt = bytes.Repeat([]byte{0x7F}, 4<<10)

// A loan is a payload in memory of its own.
type loan struct {
	lent, kept []byte
}

func lend(payload []byte) loan {
	return loan{lent: bytes.Clone(payload), kept: payload}
}

func (l loan) takeBack(f *faults, hook string) {
	if !bytes.Equal(l.lent, l.kept) {
		f.add("%s changed a payload of %d bytes that it was given", hook, len(l.lent))
	}
	for left := l.lent; len(left) > 0; {
		left = left[copy(left, spoilt):]
	}
}
