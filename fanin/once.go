package fanin

import "github.com/wsflow/wsflow/stream"

// defaultWindow is how many keys are remembered where Options do not say.
const defaultWindow = 1 << 16

// A once drops copies of messages. It is for one goroutine at a time.
type once struct {
	key    func(stream.Message) (uint64, bool)
	window *window
}

func newOnce(o *Options) *once {
	most := o.Window
	if most == 0 {
		most = defaultWindow
	}
	return &once{o.Once, newWindow(most)}
}

// doubled reports that a lent message has come before, and remembers it.
func (o *once) doubled(m stream.Message) bool {
	key, ok := o.key(m)
	return ok && !o.window.add(key)
}
