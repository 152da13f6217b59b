package stream

import (
	"context"
	"iter"
	"sync/atomic"
)

// All returns the messages, Notices too, as [Conn.All] does: a message is lent until
// the body of the loop ends. Where the Relay has one source at a time, the loop reads
// from it on the caller's goroutine, and nothing is allocated for a message. With
// several sources at a time messages come through a channel.
//
// The loop is exclusive while it runs, and ends with the Relay, or with ctx. The next
// one, or another subscriber, goes on where it stopped.
func (r *Relay) All(ctx context.Context) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		if _, err := r.loop(ctx, nil, yield); err != nil {
			yield(Message{}, err)
		}
	}
}

// loopSize is how many messages of several sources wait for a loop over All.
const loopSize = 64

// A loopLane is the lane of a loop over All. What stands in its channel is not given.
type loopLane struct {
	singles
	held atomic.Bool // the loop has the turn, and nothing stands in the channel
	over atomic.Bool // the stream has ended
}

func (l *loopLane) owes() bool { return !l.held.Load() }

func (l *loopLane) end(err error) {
	l.over.Store(true)
	l.s.end(err)
}

// A lonely is a Relay for one who takes alone.
type lonely struct {
	*Relay
	ctx context.Context
	by  *feed
}

// subscribe adds the lane, once those that are about to leave have left.
func (a lonely) subscribe(l lane) error {
	s := &a.source
	if err := a.reclaim(); err != nil {
		return err
	}
	for !s.joinAlone(l, a.by) {
		if s.ended() {
			l.end(a.outcome())
			return nil
		}
		moved := s.leaving()
		switch {
		case moved == nil && s.joinAlone(l, a.by):
			a.joined()
			return nil
		case moved == nil:
			return ErrTaken
		}
		select {
		case <-moved:
		case <-a.ctx.Done():
			return context.Cause(a.ctx)
		}
	}
	a.joined()
	return nil
}

// A relayLoop is a loop over All.
type relayLoop struct {
	r     *Relay
	ctx   context.Context
	s     *Subscription[Message]
	lane  *loopLane
	yield func(Message, error) bool

	holds bool      // the loop has the turn
	left  []Message // out of the channel, and not yielded
	err   error     // why the loop stops, unless the subscription says so
	broke bool      // yield has returned false
}

func (r *Relay) loop(ctx context.Context, by *feed, yield func(Message, error) bool) (over bool, err error) {
	if err := checkContext(ctx); err != nil {
		return false, err
	}
	s, err := newSubscription[Message](ctx, nil, loopSize)
	l := &loopLane{singles: *newSingles(r, s)}
	s.open(lonely{r, ctx, by}, l, err)
	w := &relayLoop{r: r, ctx: ctx, s: s, lane: l, yield: yield}
	defer w.leave()
	for w.next() {
	}
	if w.broke || w.err != nil {
		return false, w.err
	}
	return l.over.Load(), s.Err()
}

// next hands on what comes next. It reports false when the loop is over.
func (w *relayLoop) next() (more bool) {
	r, ch := w.r, w.s.C
	var turn chan<- struct{}
	resumed := r.pauses.current()
	if resumed != nil {
		ch = nil
	} else if r.sole.Load() != nil {
		if r.turn.tryLock() {
			return w.direct()
		}
		turn = r.turn.locking()
	}
	select {
	case m, ok := <-ch:
		return ok && w.hand(m)
	case turn <- struct{}{}:
		return w.direct()
	case <-resumed:
	case <-r.poke:
	case <-w.ctx.Done():
		w.err = context.Cause(w.ctx)
		return false
	}
	return true
}

// hand yields a message that came through the channel.
func (w *relayLoop) hand(m Message) (more bool) {
	if w.r.paused.Load() != 0 && !w.resumed() {
		w.left = append(w.left, m)
		return false
	}
	lent := m
	lent.own = nil
	w.broke = !w.yield(lent, nil)
	m.Release()
	return !w.broke
}

// resumed waits while the Relay is paused. It reports false if ctx ends first.
func (w *relayLoop) resumed() bool {
	for {
		resumed := w.r.pauses.current()
		if resumed == nil {
			return true
		}
		select {
		case <-resumed:
		case <-w.ctx.Done():
			w.err = context.Cause(w.ctx)
			return false
		}
	}
}

// direct has the only source's loop yield messages, until somebody else wants the
// turn. The loop has it; what came through the channel before goes first.
func (w *relayLoop) direct() (more bool) {
	r := w.r
	w.holds = true
	for len(w.s.C) > 0 {
		if m, ok := <-w.s.C; !ok || !w.hand(m) {
			return false
		}
	}
	w.lane.held.Store(true)
	if w.s.ctx.Err() != nil { // the lane may owe what has left the channel: leave comes first
		<-w.s.C // closed soon
		return false
	}
	more = true
	if f := r.sole.Load(); !r.settle() && f != nil && r.paused.Load() == 0 && r.begin(f) {
		more = w.read(f)
	}
	w.holds = false
	r.release(func() { w.lane.held.Store(false) })
	if r.due.Load() {
		go r.tend() // returns when the lanes are up to date; they may wait for this loop
	}
	return more
}

// read yields the messages of a feed that was begun.
func (w *relayLoop) read(f *feed) (more bool) {
	over, err := false, error(nil)
	func() {
		defer w.r.idle(f)
		over, err = w.r.read(w.ctx, f, w.yield)
	}()
	switch {
	case over:
		if w.r.remove(f) {
			go f.ended(err) // runs what was asked for
		}
	case err == nil:
		w.broke = true
		return false
	case err != errTurn:
		w.err = err
		return false
	}
	return true
}

// leave ends the loop. What was not yielded goes to the next taker.
func (w *relayLoop) leave() {
	w.s.Cancel()
	for m := range w.s.C {
		w.left = append(w.left, m)
	}
	w.r.giveBack(w.lane, w.left)
	if w.holds {
		w.r.unlock()
	}
}
