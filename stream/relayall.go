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
			yieldError(yield, err)
		}
	}
}

// A relayLoop is a loop over All: a taker of batches who takes alone. It is its own
// lane, which leaves when the loop ends and not before.
type relayLoop struct {
	r     *Relay
	ctx   context.Context
	by    *feed // for which it takes; nil for nobody's
	yield func(Message, error) bool
	inbox lazyInbox

	// Of the loop's goroutine.
	unread []Message // of the batch at hand
	reads  *feed     // whose own loop yields messages, in session, to lends
	in     *session
	lends  func(Message, error) bool
	holds  bool  // the loop has the turn
	over   bool  // the stream has ended
	broke  bool  // yield has returned false
	err    error // why the loop ends, unless yield has
}

// loop is All for a feed of another Relay, or for nobody's. While it waits for a source
// it needs little stack.
func (r *Relay) loop(ctx context.Context, by *feed, yield func(Message, error) bool) (over bool, err error) {
	w := &relayLoop{r: r, ctx: ctx, by: by, yield: yield}
	if w.err = w.join(); w.err == nil {
		w.run()
	}
	return w.ends()
}

// run is the loop, once it has joined.
func (w *relayLoop) run() {
	defer w.leave()
	for more := true; more; {
		if w.reads != nil {
			more = w.read(w.reads.src.loop(w.in, w.reads, w.lends))
		} else {
			more = w.next()
		}
	}
}

// ends returns what loop does.
func (w *relayLoop) ends() (over bool, err error) {
	if w.err != nil && w.err != errOver || w.broke {
		return false, w.err
	}
	return true, w.r.outcome()
}

// join adds the lane, once those that are about to leave have left.
func (w *relayLoop) join() error {
	r, s := w.r, &w.r.source
	if err := check.Context(w.ctx); err != nil {
		return err
	}
	if err := r.reclaim(); err != nil {
		return err
	}
	for !s.joinAlone(w, w.by) {
		if s.ended() {
			return errOver
		}
		moved := s.leaving()
		if moved == nil && s.joinAlone(w, w.by) {
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

// next hands on what comes next, or finds the source to read from. It reports false
// when the loop is over.
func (w *relayLoop) next() (more bool) {
	if w.ctx.Err() != nil {
		w.err = context.Cause(w.ctx)
		return false
	}
	r := w.r
	if r.sole.Load() != nil && r.paused.Load() == 0 && r.turn.tryLock() {
		return w.direct()
	}
	return w.wait()
}

// wait waits for what comes next.
func (w *relayLoop) wait() (more bool) {
	r := w.r
	changed := r.changes.wait() // before anything is looked at
	var ch <-chan []Message
	var turn chan<- struct{}
	resumed := r.pauses.current()
	if resumed == nil {
		ch = w.inbox.items()
		if r.sole.Load() != nil {
			turn = r.turn.locking()
		}
	}
	select {
	case batch, ok := <-ch:
		w.over = !ok
		return ok && w.hand(batch)
	case turn <- struct{}{}:
		return w.direct()
	case <-resumed:
	case <-changed:
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
		w.broke = !w.yield(lent(m), nil)
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

// direct begins to read from the only source, unless somebody else wants the turn. The
// loop has it; what came through the channel before goes first.
func (w *relayLoop) direct() (more bool) {
	r := w.r
	w.holds = true
	for ch := w.inbox.items(); len(ch) > 0; {
		if !w.hand(<-ch) {
			return false
		}
	}
	if f := r.sole.Load(); !r.settle() && f != nil && r.paused.Load() == 0 && r.begin(f) {
		w.reads, w.in, w.lends = f, r.enter(w.ctx, f), f.admitting(w.yield)
		return true
	}
	w.unlock()
	return true
}

// left ends the reading that direct began.
func (w *relayLoop) left() {
	w.r.exit(w.in)
	w.r.idle(w.reads)
	w.reads, w.in, w.lends = nil, nil, nil
}

func (w *relayLoop) unlock() {
	w.holds = false
	w.r.unlock()
}

// read takes in how a source's loop has ended.
func (w *relayLoop) read(over bool, err error) (more bool) {
	f := w.reads
	w.left()
	switch {
	case over:
		if w.r.remove(f) {
			go f.ended(err) // runs what was asked for
		}
	case err == nil:
		w.broke = true
		return false
	case err != errTurn && err != ErrTaken: // ErrTaken: the source was taken out of the Relay before
		w.err = err
		return false
	}
	w.unlock()
	return true
}

// leave ends the loop. What was not yielded goes to the next taker.
func (w *relayLoop) leave() {
	if w.reads != nil { // the loop's body has panicked
		w.left()
	}
	left := append(slices.Clone(w.unread), w.inbox.shut()...)
	followed := w.r.source.withdraw(w, left)
	if w.holds {
		w.r.unlock()
	} else {
		w.r.tend()
	}
	if followed {
		w.r.joined()
	}
}
