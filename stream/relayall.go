package stream

import (
	"context"
	"iter"
	"slices"

	"github.com/wsflow/wsflow/internal/check"
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

// loopBatch is how many messages of several sources go to a loop over All at a time.
const loopBatch = 64

// A relayLoop is a loop over All: a subscriber to batches who takes alone, and whose
// lane leaves when the loop ends and not before. Most loops never get a batch, as they
// read from the source themselves.
type relayLoop struct {
	r     *Relay
	ctx   context.Context
	by    *feed // for which it takes; nil for nobody's
	yield func(Message, error) bool

	lane   loopLane
	sub    Subscription[[]Message]
	unread []Message // of the batch at hand
	holds  bool      // the loop has the turn
	over   bool      // the stream has ended
	broke  bool      // yield has returned false
	err    error     // why the loop ends, unless yield has
}

// A loopLane is the lane of a loop over All.
type loopLane struct{ batches }

// owes reports that what the loop has not yielded is given back.
func (l *loopLane) owes() bool { return true }

func (r *Relay) loop(ctx context.Context, by *feed, yield func(Message, error) bool) (over bool, err error) {
	if err := check.Context(ctx); err != nil {
		return false, err
	}
	w := &relayLoop{r: r, ctx: ctx, by: by, yield: yield}
	w.sub = Subscription[[]Message]{
		ch: make(chan []Message, 1), h: r,
		opts: SubscribeOptions{Size: 1, Bytes: defaultQueueBytes},
	}
	w.lane.batches = *newBatches(&w.sub, loopBatch)
	if err := w.join(); err == errOver {
		return true, r.outcome()
	} else if err != nil {
		return false, err
	}
	defer w.leave()
	for w.next() {
	}
	if w.broke || w.err != nil {
		return false, w.err
	}
	return true, r.outcome()
}

// join adds the lane, once those that are about to leave have left.
func (w *relayLoop) join() error {
	r, s := w.r, &w.r.source
	if err := r.reclaim(); err != nil {
		return err
	}
	for !s.joinAlone(&w.lane, w.by) {
		if s.ended() {
			return errOver
		}
		moved := s.leaving()
		if moved == nil && s.joinAlone(&w.lane, w.by) {
			break
		}
		if moved == nil {
			return ErrTaken
		}
		select {
		case <-moved:
		case <-w.ctx.Done():
			return context.Cause(w.ctx)
		}
	}
	r.joined()
	return nil
}

// next hands on what comes next. It reports false when the loop is over.
func (w *relayLoop) next() (more bool) {
	r, ch := w.r, w.sub.ch
	if w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
		return false
	}
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
	case batch, ok := <-ch:
		w.over = !ok
		return ok && w.hand(batch)
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

// hand yields the messages of a batch.
func (w *relayLoop) hand(batch []Message) (more bool) {
	for i, m := range batch {
		w.unread = batch[i:]
		if w.ctx.Err() != nil || w.r.paused.Load() != 0 && !w.resumed() {
			w.err = context.Cause(w.ctx)
			return false
		}
		w.unread = batch[i+1:]
		lent := m
		lent.own = nil
		w.broke = !w.yield(lent, nil)
		m.Release()
		if w.broke {
			return false
		}
	}
	w.unread = nil
	return true
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
			return false
		}
	}
}

// direct has the only source's loop yield messages, until somebody else wants the
// turn. The loop has it; what came through the channel before goes first.
func (w *relayLoop) direct() (more bool) {
	r := w.r
	w.holds = true
	for len(w.sub.ch) > 0 {
		if !w.hand(<-w.sub.ch) {
			return false
		}
	}
	more = true
	if f := r.sole.Load(); !r.settle() && f != nil && r.paused.Load() == 0 && r.begin(f) {
		more = w.read(f)
	}
	if more {
		w.holds = false
		r.unlock()
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
	w.sub.end(errLeft)
	left := slices.Clone(w.unread)
	for batch := range w.sub.ch {
		left = append(left, batch...)
	}
	w.r.source.withdraw(&w.lane, left)
	if w.holds {
		w.r.unlock()
	} else {
		w.r.tend()
	}
}
