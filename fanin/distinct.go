package fanin

import "github.com/wsflow/wsflow/stream"

// defaultWindow is how many keys are remembered where Options do not say.
const defaultWindow = 1 << 16

// A distinct drops copies of messages. It is for one goroutine at a time.
type distinct struct {
	key    func(stream.Message) (uint64, bool)
	window *window
}

func newDistinct(o *Options) *distinct {
	most := o.Window
	if most == 0 {
		most = defaultWindow
	}
	return &distinct{o.Distinct, newWindow(most)}
}

// duplicate reports that a lent message has come before, and remembers it.
func (d *distinct) duplicate(m stream.Message) bool {
	key, ok := d.key(m)
	return ok && !d.window.add(key)
}
