package fanin

import (
	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/stream"
)

// defaultWindow is how many keys are remembered where Options do not say.
const defaultWindow = 1 << 16

// A distinct drops copies of messages. It is for one goroutine at a time.
type distinct struct {
	key    func(stream.Message) (uint64, bool)
	window *window
	fail   func(error) // ends the group
	log    *zap.Logger // may be nil
	dead   bool        // key has panicked: all is dropped
}

func newDistinct(o *Options, fail func(error)) *distinct {
	most := o.Window
	if most == 0 {
		most = defaultWindow
	}
	return &distinct{key: o.Distinct, window: newWindow(most), fail: fail, log: o.Logger}
}

// duplicate reports that a lent message has come before, and remembers it.
func (d *distinct) duplicate(m stream.Message) (yes bool) {
	if d.dead {
		return true
	}
	yes, d.dead = true, true
	defer d.guard()
	key, ok := d.key(m)
	d.dead = false
	return ok && !d.window.add(key)
}

// guard, deferred, ends the group if key has panicked or ended the goroutine.
func (d *distinct) guard() {
	if !d.dead {
		return
	}
	err := check.Panicked("fanin.Options.Distinct", recover())
	if d.log != nil {
		d.log.Error("fanin.Options.Distinct panicked", zap.Error(err), zap.Stack("stack"))
	}
	d.fail(err)
}
