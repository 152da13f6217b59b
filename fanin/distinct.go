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
	log    *zap.Logger
	dead   bool // key has panicked: all is dropped
}

func newDistinct(o *Options, fail func(error)) *distinct {
	most, log := o.Window, o.Logger
	if most == 0 {
		most = defaultWindow
	}
	if log == nil {
		log = zap.NewNop()
	}
	return &distinct{key: o.Distinct, window: newWindow(most), fail: fail, log: log}
}

// duplicate reports that a lent message has come before, and remembers it.
func (d *distinct) duplicate(m stream.Message) (yes bool) {
	if d.dead {
		return true
	}
	d.dead = true
	check.Run("fanin.Options.Distinct", d.log, d.fail, func() {
		key, ok := d.key(m)
		d.dead, yes = false, ok && !d.window.add(key)
	})
	return yes || d.dead
}
