package stream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// add adds a feed. It reports false after the end of the Relay.
func (r *Relay) add(f *feed) bool {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	if r.ended() {
		return false
	}
	r.feeds = append(r.feeds, f)
	return true
}

// remove removes a feed, and its lane with it. It reports false if that was done
// before.
func (r *Relay) remove(f *feed) bool {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	at := slices.Index(r.feeds, f)
	if at < 0 {
		return false
	}
	r.feeds = slices.Delete(r.feeds, at, at+1)
	f.out = true
	r.sole.CompareAndSwap(f, nil)
	if f.lane != nil {
		f.detach()
	}
	if f.busy {
		r.stopSession()
	}
	f.src.disown(f) // under wiring: whoever finds the feed removed may join its source again
	return true
}

// sources returns the feeds as they are now.
func (r *Relay) sources() []*feed {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	return slices.Clone(r.feeds)
}

// joins reports that there are sources.
func (r *Relay) joins() bool {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	return len(r.feeds) > 0
}

// arrange sees that each source hands its messages on in the way that is due: by a
// lane while there are subscribers, and in the loop's own goroutine while a loop over
// All is the only one and reads from the only source. It is called when a source or a
// subscriber has come or left, and when a source has ended, with the source. Where
// nothing has changed for the others it does not look at them: they may be many.
func (r *Relay) arrange(changed ...*feed) {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	any, alone := r.source.taken()
	var sole *feed
	if alone && len(r.feeds) == 1 {
		sole = r.feeds[0]
	}
	r.several.Store(len(r.feeds) > 1)
	was := r.sole.Swap(sole)
	if was != sole {
		r.stopSession()
	}
	if was != sole || any != r.taken {
		changed = r.feeds
	}
	r.taken = any
	for _, f := range changed {
		f.arrange()
	}
	r.changes.ring()
}

// arrange is the Relay's for one source, under wiring.
func (f *feed) arrange() {
	f.place()
	if !f.out && !f.busy && !f.r.taken && f.src.ended() {
		f.busy = true
		go f.drain() // ends when what the source holds is kept, or somebody takes
	}
}

// place sees, under wiring, that the source has a lane if it is to have one.
func (f *feed) place() {
	switch want := !f.out && f.r.taken && f != f.r.sole.Load(); {
	case f.lane != nil && !want:
		f.detach()
	case f.lane == nil && want && !f.busy:
		f.attach()
	}
}

// attach adds a lane, under wiring.
func (f *feed) attach() {
	l := &relayLane{f: f, gone: make(chan struct{})}
	err := f.src.enroll(l, f)
	if lost, ok := err.(*LostError); ok {
		f.r.source.gone.Add(lost.Messages)
		err = f.src.enroll(l, f)
	}
	switch err {
	case nil:
		f.lane = l
	case errOver:
		f.lane = l
		go f.conclude() // ends with the source
	}
}

// detach has the lane leave, under wiring.
func (f *feed) detach() {
	close(f.lane.gone)
	f.src.leave(f.lane)
	f.lane = nil
}

// A session is a source's loop that runs under the Relay's turn, on the goroutine of
// one who takes its messages, until somebody else wants the turn. It is the loop's
// context, and costs less than one of package context.
type session struct {
	parent context.Context
	src    Source
	forget func() bool // ends the watch over parent; nil if there is none
	done   event

	mu      sync.Mutex
	stopped bool // guarded by mu
	over    bool // guarded by mu
}

// errTurn ends a session of which somebody else wants the turn.
var errTurn = errors.New("wsflow: somebody else gives messages")

// stop ends the session soon: no message is handed on that is not on its way already.
func (s *session) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped && !s.over {
		s.stopped = true
		s.done.fire()
		s.src.nudge(1)
	}
}

func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over = true; s.stopped {
		s.src.nudge(-1)
	}
}

func (s *session) Deadline() (time.Time, bool) { return s.parent.Deadline() }
func (s *session) Done() <-chan struct{}       { return s.done.done() }
func (s *session) Value(any) any               { return nil }

// Err returns the parent's cause, or errTurn: package context takes it for the cause.
func (s *session) Err() error {
	if s.parent.Err() != nil {
		return context.Cause(s.parent)
	}
	if s.done.fired() {
		return errTurn
	}
	return nil
}

// stopSession ends the session that has the turn, if there is one.
func (r *Relay) stopSession() {
	if s := r.session.Load(); s != nil {
		s.stop()
	}
}

// begin makes the feed busy, under the turn. It reports false if it is not the one
// to read from.
func (r *Relay) begin(f *feed) bool {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	if r.sole.Load() != f || f.lane != nil || f.busy {
		return false
	}
	f.busy = true
	return true
}

// idle ends what begin began.
func (r *Relay) idle(f *feed) {
	r.wiring.Lock()
	defer r.wiring.Unlock()
	f.busy = false
	f.place() // another source may have come
}

// enter begins a session of a busy feed, under the turn. It has ended already if somebody
// else wants that.
func (r *Relay) enter(ctx context.Context, f *feed) *session {
	s := &session{parent: ctx, src: f.src}
	if _, ok := ctx.(*session); !ok && ctx.Done() != nil { // a session nudges
		s.forget = context.AfterFunc(ctx, s.stop)
	}
	if r.session.Store(s); r.waiting.Load() > 0 || r.due.Load() {
		s.stop()
	}
	return s
}

// exit ends a session.
func (r *Relay) exit(s *session) {
	r.session.Store(nil)
	if s.end(); s.forget != nil {
		s.forget()
	}
}
