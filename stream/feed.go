package stream

import (
	"context"
	"errors"

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
	// Taken, if it is not nil, is called with how many data messages of one origin come
	// next, before Keep is called with each of them: whoever only counts them does it
	// once for many. It is called as Keep is.
	Taken func(o *Origin, n int)
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
	out  bool       // it was taken out
}

// Join makes src a source of the Relay: its messages are handed on to the Relay's
// subscribers, in the order that they have there. They are taken from src while the
// Relay has a subscriber; without one they wait in src. If src ends while there is
// none, as much is kept as fits into the 1 MiB of [Feeder.Put].
//
// While src is joined nobody else may take from it: they get [ErrTaken]. leave ends
// that: what was not handed on stays with src, for whoever takes next. leave does not
// wait, and may be called many times. A [Conn.Pause] of src holds back src alone. Up to
// 256 messages that are on their way are still handed on after both.
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
	one := &feed{r: r, src: src, opts: *opts, tag: newLabel(opts.Origin)}
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
	r.arrange(one)
	return one.leave, nil
}

// newLabel returns the tag of messages with an Origin, and that in one piece.
func newLabel(o Origin) *tag {
	label := struct {
		tag
		Origin
	}{Origin: o}
	label.origin = &label.Origin
	return &label.tag
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
		go f.r.arrange(f) // returns at once
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
		o := Origin{Name: f.opts.Origin.Name}
		if from != nil {
			o.Epoch = from.Epoch
		}
		if label = newLabel(o); len(f.labels) >= labelsMost {
			clear(f.labels)
		}
		f.labels[from] = label
	}
	if was != nil && was.gap != nil {
		return &tag{origin: label.origin, gap: was.gap}
	}
	return label
}

// admit labels messages of one origin, or a Notice, and moves those that are to be
// handed on to the front, which it returns. Those that are dropped are released.
func (f *feed) admit(messages []Message) []Message {
	if f.labels != nil {
		for i := range messages {
			messages[i].tag = f.relabel(messages[i].tag)
		}
	}
	switch {
	case messages[0].Type == Notice:
		f.noticed(messages[0])
		return messages
	case f.opts.Taken != nil:
		f.opts.Taken(messages[0].Origin(), len(messages))
	}
	if f.opts.Keep == nil {
		return messages
	}
	n := 0
	for i := range messages {
		switch {
		case !f.opts.Keep(lent(messages[i])):
			messages[i].Release()
			continue
		case n < i:
			messages[n] = messages[i]
		}
		n++
	}
	return messages[:n]
}

// noticed tells the program of a Notice.
func (f *feed) noticed(m Message) {
	if f.opts.Notice != nil {
		f.opts.Notice(lent(m))
	}
}

// lent returns a message as one that is lent.
func lent(m Message) Message {
	m.own = nil
	return m
}

// admitting returns a yield that does with each message what admit does.
func (f *feed) admitting(yield func(Message, error) bool) func(Message, error) bool {
	if f.labels == nil && f.opts.Keep == nil && f.opts.Taken == nil && f.opts.Notice == nil {
		return yield
	}
	return func(m Message, err error) bool {
		if f.labels != nil {
			m.tag = f.relabel(m.tag)
		}
		if m.Type == Notice {
			f.noticed(m)
			return yield(m, err)
		}
		if f.opts.Taken != nil {
			f.opts.Taken(m.Origin(), 1)
		}
		if f.opts.Keep != nil && !f.opts.Keep(lent(m)) {
			return true
		}
		return yield(m, err)
	}
}

// leave takes the source out of the Relay, unless it is out.
func (f *feed) leave() {
	if f.r.remove(f) {
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

// conclude waits for the end of a source of which nothing is read any more. What a last
// taker gives back meanwhile is handed on.
func (f *feed) conclude() {
	_, err := f.src.loop(context.Background(), f, func(m Message, _ error) bool {
		f.handOn(m)
		return true
	})
	f.finish(err)
}

// handOn hands on one message that is lent, or keeps it for the next taker.
func (f *feed) handOn(m Message) {
	r := f.r
	r.lock(bystander{}, nil)
	defer r.unlock()
	one := f.admit([]Message{m})
	switch {
	case len(one) == 0:
	case len(r.audience.lanes) > 0:
		r.present(one)
	default:
		r.keep(one[0])
	}
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
	case full && !r.live:
		return
	}
	r.arrange(f)
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
	in := r.enter(context.Background(), f)
	defer r.exit(in)
	over, err = f.src.loop(in, f, f.admitting(func(m Message, _ error) bool {
		r.keep(m)
		full = r.hoard >= hoardMost
		return !full
	}))
	return over, full, err
}
