package stream

import (
	"context"
	"errors"
	"sync"

	"github.com/wsflow/wsflow/result"
)

// JoinOptions say what a [Relay] does with the messages of a source. A nil pointer and
// zero fields mean the defaults; they are never modified.
type JoinOptions struct {
	// Origin is where the messages come from, if the source is a Conn. Messages of a
	// Relay have its Name, and the Epoch that they have there.
	Origin Origin
	// Keep, if it is not nil, is called with each data message, in order, before it is
	// handed on: false drops it. The message is lent. It is called once for each
	// message, by one goroutine at a time among all sources of the Relay, and must
	// not block.
	Keep func(Message) bool
	// Notice, if it is not nil, is called with each [Notice] of a Relay that is joined,
	// as Keep is with data messages.
	Notice func(Message)
	// Ended, if it is not nil, is called once when the source has ended and all of
	// its messages were handed on; the source is left then. It is not called where it
	// was left before. It gets the source's terminal event, with the error that the
	// source's stream ended with if the event has none. It runs on a goroutine of the
	// source or of the Relay, never through Options.Post.
	Ended func(result.Status)
}

// A feed is a source that is joined to a Relay.
type feed struct {
	// These never change.
	r      *Relay
	src    Source
	opts   JoinOptions
	tag    *tag             // of a Conn's messages
	labels map[*Origin]*tag // of those of a Relay, by what they have there; nil for a Conn. Guarded by the source's turn

	// Guarded by the Relay's wiring.
	lane *relayLane // nil while there is none
	busy bool       // a session hands its messages on
}

// Join makes src a source of the Relay: its messages are handed on to the Relay's
// subscribers, in the order that they have there. They are taken from src while the
// Relay has a subscriber; without one they wait in src. When src has ended without
// one, what fits into the 1 MiB of [Feeder.Put] is kept.
//
// While src is joined nobody else may take from it: they get [ErrTaken]. leave ends
// that: what was not handed on stays with src, for whoever takes next. leave does not
// wait, and may be called many times. A [Conn.Pause] of src holds back src alone. Up to
// 128 messages that are on their way are still handed on after both.
//
// A Relay may be joined as well. Its messages come through it as they are, Notices
// too, and its sources may change. The error is a *result.ArgumentError if src is nil
// or takes from this Relay, [ErrTaken] if others take from src, a *[LostError] if it
// has discarded messages, and one that is net.ErrClosed after [Feeder.End].
func (f *Feeder) Join(src Source, opts *JoinOptions) (leave func(), err error) {
	if src == nil {
		return nil, &result.ArgumentError{Name: "src of stream.Feeder.Join", Allowed: "a source, not nil"}
	}
	r := f.r
	if opts == nil {
		opts = &JoinOptions{}
	}
	origin := opts.Origin // a copy that keeps nothing else alive
	one := &feed{r: r, src: src, opts: *opts, tag: &tag{origin: &origin}}
	if _, conn := src.(*Conn); !conn {
		one.labels = make(map[*Origin]*tag)
	}
	if err := src.adopt(one); err != nil {
		return nil, err
	}
	if !r.add(one) {
		src.disown(one)
		return nil, errRelayEnded
	}
	r.arrange()
	return sync.OnceFunc(one.leave), nil
}

// label returns the tag of a Conn's messages.
func (f *feed) label() *tag {
	if f == nil {
		return nil
	}
	return f.tag
}

// sourceOver is told that the source has ended.
func (f *feed) sourceOver() {
	if f != nil {
		go f.r.arrange() // returns at once
	}
}

// labelsMost is how many origins of a Relay's messages are remembered.
const labelsMost = 1024

// relabel returns the tag of a message that has another one in the Relay that it
// comes from.
func (f *feed) relabel(was *tag) *tag {
	var from *Origin
	if was != nil {
		from = was.origin
	}
	label := f.labels[from]
	if label == nil {
		o := &Origin{Name: f.opts.Origin.Name}
		if from != nil {
			o.Epoch = from.Epoch
		}
		if label = (&tag{origin: o}); len(f.labels) >= labelsMost {
			clear(f.labels)
		}
		f.labels[from] = label
	}
	if was != nil && was.gap != nil {
		return &tag{origin: label.origin, gap: was.gap}
	}
	return label
}

// admit labels messages, and moves those that are to be handed on to the front, which
// it returns. Those that are dropped are released.
func (f *feed) admit(messages []Message) []Message {
	if f.labels != nil {
		for i := range messages {
			messages[i].tag = f.relabel(messages[i].tag)
		}
	}
	if f.opts.Keep == nil && f.opts.Notice == nil {
		return messages
	}
	n := 0
	for i := range messages {
		if m := messages[i]; f.keeps(m) {
			messages[n] = m
			n++
		} else {
			m.Release()
		}
	}
	return messages[:n]
}

func (f *feed) keeps(m Message) bool {
	m.own = nil
	switch {
	case m.Type != Notice:
		return f.opts.Keep == nil || f.opts.Keep(m)
	case f.opts.Notice != nil:
		f.opts.Notice(m)
	}
	return true
}

// admitting returns a yield that does with each message what admit does.
func (f *feed) admitting(yield func(Message, error) bool) func(Message, error) bool {
	if f.labels == nil && f.opts.Keep == nil && f.opts.Notice == nil {
		return yield
	}
	return func(m Message, err error) bool {
		if f.labels != nil {
			m.tag = f.relabel(m.tag)
		}
		if !f.keeps(m) {
			return true
		}
		return yield(m, err)
	}
}

// leave takes the source out of the Relay, unless it is out.
func (f *feed) leave() {
	if f.r.remove(f) {
		f.src.disown(f)
		f.r.arrange()
	}
}

// finish takes a source out whose messages were all handed on, and that has ended
// with err.
func (f *feed) finish(err error) {
	if f.r.remove(f) {
		f.ended(err)
	}
}

// ended says that a source has ended with err, after it was taken out.
func (f *feed) ended(err error) {
	f.src.disown(f)
	f.r.arrange()
	if f.r.ended() {
		f.r.tend() // its stream may have waited for this source alone
	}
	if f.opts.Ended == nil {
		return
	}
	status, _ := f.src.Result().Status()
	if status.Err == nil {
		status.Err = err
	}
	f.opts.Ended(status)
}

// drain keeps what a source that has ended still holds, as far as there is room,
// while nobody takes it. The feed is busy meanwhile.
func (f *feed) drain() {
	r := f.r
	over, full, err := f.keepRest()
	switch lost := (*LostError)(nil); {
	case over:
		f.finish(err)
		return
	case errors.As(err, &lost):
		r.source.gone.Add(lost.Messages)
	case full:
		return
	}
	r.arrange()
}

// keepRest keeps what a busy feed still holds, as far as there is room.
func (f *feed) keepRest() (over, full bool, err error) {
	r := f.r
	r.lock(bystander{}, nil)
	defer r.unlock()
	defer r.idle(f)
	if full = r.hoard >= hoardMost; full || len(r.audience.lanes) > 0 {
		return false, full, nil
	}
	over, err = r.read(context.Background(), f, func(m Message, _ error) bool {
		r.keep(m)
		full = r.hoard >= hoardMost
		return !full
	})
	return over, full, err
}

// A relayLane is the way of a source's messages into a Relay.
type relayLane struct {
	f    *feed
	gone chan struct{} // closed when the lane has left
}

func (l *relayLane) give(g giver, messages []Message) (given int, err error) {
	r := l.f.r
	for given < len(messages) {
		switch err := r.lock(g, l.gone); err {
		case nil:
		case errOver: // CloseNow
			g.lose(messages[given:])
			return len(messages), nil
		default:
			return given, err
		}
		n := l.pass(messages[given:])
		if n == 0 {
			l.renew()
			return given, errLeft
		}
		given += n
	}
	return given, nil
}

// pass hands over the first of the messages, under the turn, and lets that go: also
// where a function of the program ends the goroutine. It returns how many, 0 if the
// lane has left or there is nobody to take them.
func (l *relayLane) pass(messages []Message) (n int) {
	r := l.f.r
	defer r.unlock()
	if closed(l.gone) || len(r.audience.lanes) == 0 {
		return 0
	}
	n = len(messages)
	if r.several.Load() {
		n = min(n, turnMost)
	}
	if admitted := l.f.admit(messages[:n]); len(admitted) > 0 {
		r.present(admitted)
	}
	return n
}

// renew has the lane leave, and another one come if there is somebody who takes.
func (l *relayLane) renew() {
	r := l.f.r
	r.wiring.Lock()
	if l.f.lane == l {
		l.f.detach()
	}
	r.wiring.Unlock()
	r.arrange()
}

// All that a turn was given for is handed on when it ends.
func (l *relayLane) rest(giver) error { return nil }
func (l *relayLane) close() []Message { return nil }
func (l *relayLane) owes() bool       { return false }
func (l *relayLane) blocks() bool     { return l.f.r.blocks.Load() }
func (l *relayLane) end(err error)    { l.f.finish(err) }
