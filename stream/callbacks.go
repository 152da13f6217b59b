package stream

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// OnText calls f with each text message, one at a time and in order, on the
// connection's own goroutine or through Options.Post. The next message is read
// when f returns. Several listeners may be added, at any time; each gets every
// message. A message of a type that has no listener, and that no other
// subscriber takes, is logged as a warning: the first one, and then each time their
// number has doubled.
//
// If f panics, the connection closes with 1011 and its terminal event has the
// panic's value: an error as it is, anything else in a *result.General. The
// stack is logged.
//
// stop removes f; it does not wait for a call that is under way. When there is
// no listener any more, nor any other subscriber, messages wait for the next
// taker. While a call of f is under way, All, Receive and Reader still get [ErrTaken],
// as it may be f that asks. Where All or Reader is active, f is never called and a
// warning is logged. To add several listeners before the first message comes, hold a
// [Conn.Pause] meanwhile; in the onReady of dial.Connect there is no need to.
func (c *Conn) OnText(f func(text string)) (stop func()) {
	return onText(c, f)
}

// OnBinary calls f with each binary message; f owns data. See [Conn.OnText].
func (c *Conn) OnBinary(f func(data []byte)) (stop func()) {
	return onBinary(c, f)
}

func onText(h host, f func(text string)) (stop func()) {
	return h.callbacks().listen(Text, func(m Message) func() {
		text := string(m.Data)
		return func() { f(text) }
	})
}

func onBinary(h host, f func(data []byte)) (stop func()) {
	return h.callbacks().listen(Binary, func(m Message) func() {
		data := slices.Clone(m.Data)
		return func() { f(data) }
	})
}

// listeners are the callbacks of a host. Together they are one lane, for as long as
// there are any.
type listeners struct {
	h       host
	calling atomic.Bool   // messages are being given
	untaken atomic.Uint64 // messages that had no listener

	changes sync.Mutex // held while the lane comes or leaves

	// Guarded by mu.
	mu   sync.Mutex
	all  []*listener
	lane *callbacks    // nil while there are none
	dead bool          // one panicked
	done chan struct{} // closed when the last one was called; nil while there are none
}

// A callbacks is the lane of the listeners.
type callbacks struct{ *listeners }

type listener struct {
	t    Type
	call func(Message) func() // makes a call that needs the lent message no more
}

func (ls *listeners) listen(t Type, call func(Message) func()) (stop func()) {
	h, l := ls.h, &listener{t, call}
	ls.changes.Lock()
	defer ls.changes.Unlock()
	if lane := ls.add(l); lane != nil {
		err := h.subscribe(lane)
		if lost, ok := err.(*LostError); ok {
			h.log().Warn("messages are lost that came before a callback was added", zap.Uint64("messages", lost.Messages))
			err = h.subscribe(lane)
		}
		if err != nil {
			ls.drop(l)
			h.log().Warn("a callback will not be called", zap.Stringer("type", t), zap.Error(err))
		}
	}
	return func() { ls.remove(l) }
}

// listeners returns the callbacks.
func (s *source) listeners(h host) *listeners {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = &listeners{h: h}
	}
	return s.calls
}

// add adds a listener. If it is the only one it returns a new lane.
func (ls *listeners) add(l *listener) *callbacks {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.all = append(slices.Clone(ls.all), l)
	if len(ls.all) > 1 {
		return nil
	}
	ls.lane, ls.done = &callbacks{ls}, make(chan struct{})
	return ls.lane
}

// remove removes a listener. With the last one the lane leaves.
func (ls *listeners) remove(l *listener) {
	ls.changes.Lock()
	defer ls.changes.Unlock()
	if lane := ls.drop(l); lane != nil {
		ls.h.leave(lane)
	}
}

// drop removes a listener. If it was the last one it returns the lane.
func (ls *listeners) drop(l *listener) *callbacks {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	at := slices.Index(ls.all, l)
	if at < 0 {
		return nil
	}
	ls.all = slices.Delete(slices.Clone(ls.all), at, at+1)
	if len(ls.all) > 0 {
		return nil
	}
	lane := ls.lane
	ls.lane = nil
	ls.finished()
	return lane
}

// finished says, under mu, that no callback will be called.
func (ls *listeners) finished() {
	if ls.done != nil {
		close(ls.done)
		ls.done = nil
	}
}

func (ls *callbacks) blocks() bool     { return true }
func (ls *callbacks) owes() bool       { return false }
func (ls *callbacks) rest(giver) error { return nil }
func (ls *callbacks) close() []Message { return nil }

func (ls *callbacks) end(error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.finished()
}

// give calls the callbacks. A pause that one of them holds keeps back the
// messages that follow; after CloseNow there are none.
func (ls *callbacks) give(g giver, messages []Message) (given int, err error) {
	ls.calling.Store(true)
	defer ls.calling.Store(false)
	g.stalled()
	for i, m := range messages {
		if g.halted() {
			if err := g.attend(); err == errOver { // CloseNow
				g.lose(messages[i:])
				break
			} else if err != nil {
				return i, errLeft
			}
		}
		all, dead := ls.now()
		if all == nil {
			return i, errLeft
		}
		if !dead {
			ls.call(g, all, m)
		}
		m.Release()
	}
	return len(messages), nil
}

// now returns the listeners of this lane, nil if it has left. After a panic none
// is called.
func (ls *callbacks) now() (all []*listener, dead bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.lane != ls {
		return nil, false
	}
	return ls.all, ls.dead
}

// call calls the callbacks for one message. Others may take it, too.
func (ls *listeners) call(g giver, all []*listener, m Message) {
	taken := g.crowded()
	for _, l := range all {
		if l.t == m.Type {
			taken = true
			ls.run(g, l.call(m))
		}
	}
	if !taken && m.Type != Notice {
		ls.warn(m)
	}
}

// warn warns of a message that nobody takes, but not of each: a peer may send many.
func (ls *listeners) warn(m Message) {
	if n := ls.untaken.Add(1); n&(n-1) == 0 {
		ls.h.log().Warn("a message has no listener", zap.Stringer("type", m.Type), zap.Int("bytes", len(m.Data)), zap.Uint64("messages", n))
	}
}

// drained waits, where callbacks are used, until the last one was called.
func (s *source) drained() {
	s.mu.Lock()
	ls := s.calls
	s.mu.Unlock()
	if ls == nil {
		return
	}
	ls.mu.Lock()
	done := ls.done
	ls.mu.Unlock()
	if done != nil {
		<-done
	}
}

// run runs f where callbacks run, and waits for it.
func (ls *listeners) run(g giver, f func()) {
	post := ls.h.poster()
	if post == nil {
		defer ls.guard()
		f()
		return
	}
	done, quit := make(chan struct{}), g.quit()
	post(func() {
		defer close(done)
		defer ls.guard()
		if !closed(quit) {
			f()
		}
	})
	select {
	case <-done:
	case <-quit:
	}
}

var errGoexit = errors.New("a callback ended its goroutine with runtime.Goexit")

// guard, deferred, turns the panic of a callback into the end of the host. No
// callback is called after it.
func (ls *listeners) guard() {
	v := recover()
	if v == nil {
		return
	}
	ls.h.log().Error("a callback panicked", zap.Stack("stack"))
	err, ok := v.(error)
	if !ok {
		err = &result.General{Err: errors.New("a callback panicked"), Value: v}
	}
	ls.mu.Lock()
	ls.dead = true
	ls.mu.Unlock()
	ls.h.panicked(err)
}
