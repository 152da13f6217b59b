package stream

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// OnText calls f with each text message, one at a time and in order, on the
// connection's own goroutine or through Options.Post. The next message is read
// when f returns. Several listeners may be added, at any time; each gets every
// message. A message of a type that has no listener, and that no other
// subscriber takes, is logged as a warning.
//
// If f panics, the connection closes with 1011 and its terminal event has the
// panic's value: an error as it is, anything else in a *result.General. The
// stack is logged.
//
// stop removes f; it does not wait for a call that is under way. Where All or
// Reader is active, f is never called and a warning is logged. To add several
// listeners before the first message comes, hold a [Conn.Pause] meanwhile; in
// the onReady of dial.Connect there is no need to.
func (c *Conn) OnText(f func(text string)) (stop func()) {
	return c.listen(Text, func(m Message) func() {
		text := string(m.Data)
		return func() { f(text) }
	})
}

// OnBinary calls f with each binary message; f owns data. See [Conn.OnText].
func (c *Conn) OnBinary(f func(data []byte)) (stop func()) {
	return c.listen(Binary, func(m Message) func() {
		data := slices.Clone(m.Data)
		return func() { f(data) }
	})
}

// listeners are the callbacks of a connection: together they are one
// subscriber.
type listeners struct {
	c    *Conn
	mu   sync.Mutex
	all  []*listener
	used bool
	dead bool // one panicked
}

type listener struct {
	t    Type
	call func(Message) func() // makes a call that needs the lent message no more
}

func (c *Conn) listen(t Type, call func(Message) func()) (stop func()) {
	p := c.source.shared()
	ls := &p.listeners
	l := &listener{t, call}
	ls.mu.Lock()
	ls.all = append(slices.Clone(ls.all), l)
	first := !ls.used
	ls.used = true
	ls.mu.Unlock()
	if first {
		p.use(c)
		err := p.join(c, ls)
		if lost, ok := err.(*LostError); ok {
			c.log().Warn("messages are lost that came before a callback was added", zap.Uint64("messages", lost.Messages))
			err = p.join(c, ls)
		}
		if err != nil {
			ls.mu.Lock()
			ls.used = false
			ls.mu.Unlock()
			c.log().Warn("a callback will not be called", zap.Stringer("type", t), zap.Error(err))
		}
	}
	return func() {
		ls.mu.Lock()
		defer ls.mu.Unlock()
		ls.all = slices.DeleteFunc(slices.Clone(ls.all), func(o *listener) bool { return o == l })
	}
}

func (ls *listeners) blocks() bool { return true }
func (ls *listeners) rest() error  { return nil }
func (ls *listeners) end(error)    {}

// give calls the callbacks. A pause that one of them holds keeps back the
// messages that follow; after CloseNow there are none.
func (ls *listeners) give(messages []Message) (int, error) {
	defer release(messages)
	for _, m := range messages {
		if ls.c.r.attention.Load() != 0 && ls.c.r.attend(context.Background()) != nil {
			break
		}
		ls.call(m)
	}
	return len(messages), nil
}

// call calls the callbacks for one message.
func (ls *listeners) call(m Message) {
	ls.mu.Lock()
	all := ls.all
	if ls.dead {
		all = nil
	}
	taken := ls.dead
	ls.mu.Unlock()
	for _, l := range all {
		if l.t == m.Type {
			taken = true
			ls.c.callback(l.call(m))
		}
	}
	if !taken && len(*ls.c.source.shared().subs.Load()) == 1 {
		ls.c.log().Warn("a message has no listener", zap.Stringer("type", m.Type), zap.Int("bytes", len(m.Data)))
	}
}

// callback runs f where callbacks run, and waits for it.
func (c *Conn) callback(f func()) {
	if c.lasting.post == nil {
		defer c.guard()
		f()
		return
	}
	done := make(chan struct{})
	c.lasting.post(func() {
		defer close(done)
		defer c.guard()
		if !c.abandoned() {
			f()
		}
	})
	select {
	case <-done:
	case <-c.quit.done():
	}
}

var errGoexit = errors.New("a callback ended its goroutine with runtime.Goexit")

// guard, deferred, turns the panic of a callback into the end of the
// connection. No callback is called after it.
func (c *Conn) guard() {
	v := recover()
	if v == nil {
		return
	}
	c.log().Error("a callback panicked", zap.Stack("stack"))
	err, ok := v.(error)
	if !ok {
		err = &result.General{Err: errors.New("a callback panicked"), Value: v}
	}
	ls := &c.source.shared().listeners
	ls.mu.Lock()
	ls.dead = true
	ls.mu.Unlock()
	c.abort(result.StatusInternalError, "", with(err))
}
