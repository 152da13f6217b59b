package stream

import "sync/atomic"

// An inbox is where a loop over All gets batches of several sources, or of none.
type inbox struct {
	batches
	sub Subscription[[]Message]
}

// A lazyInbox is made for the first batch: most loops read from the source themselves.
type lazyInbox struct{ made atomic.Pointer[inbox] }

// noInbox is what a loop has that has ended without one.
var noInbox inbox

// get returns the inbox, and nil if the loop has ended without one.
func (z *lazyInbox) get(r *Relay) *inbox {
	if z.made.Load() == nil && z.made.CompareAndSwap(nil, newInbox(r)) {
		r.changes.ring()
	}
	return z.has()
}

// has returns the inbox if it was made.
func (z *lazyInbox) has() *inbox {
	if b := z.made.Load(); b != &noInbox {
		return b
	}
	return nil
}

// items returns the inbox' channel, nil if it was not made.
func (z *lazyInbox) items() <-chan []Message {
	if b := z.has(); b != nil {
		return b.sub.ch
	}
	return nil
}

func newInbox(r *Relay) *inbox {
	b := new(inbox)
	b.sub = Subscription[[]Message]{
		ch: make(chan []Message, 1), h: r,
		opts: SubscribeOptions{Size: 1, Bytes: defaultQueueBytes},
	}
	b.batches = *newBatches(&b.sub, batchMax)
	return b
}

// shut ends the inbox with the loop, and returns what is in it.
func (z *lazyInbox) shut() (left []Message) {
	if z.made.CompareAndSwap(nil, &noInbox) {
		return nil
	}
	b := z.made.Load()
	b.sub.end(errLeft)
	for batch := range b.sub.ch {
		left = append(left, batch...)
	}
	return left
}

// What follows makes a loop its own lane.

func (w *relayLoop) give(g giver, messages []Message) (given int, err error) {
	if b := w.inbox.get(w.r); b != nil {
		return b.give(g, messages)
	}
	return 0, errLeft
}

func (w *relayLoop) giveBatch(g giver, one batch) (given int, err error) {
	if b := w.inbox.get(w.r); b != nil {
		return b.giveBatch(g, one)
	}
	return 0, errLeft
}

func (w *relayLoop) rest(g giver) error {
	if b := w.inbox.has(); b != nil {
		return b.rest(g)
	}
	return nil
}

func (w *relayLoop) close() []Message {
	if b := w.inbox.has(); b != nil {
		return b.close()
	}
	return nil
}

func (w *relayLoop) end(err error) {
	if b := w.inbox.get(w.r); b != nil {
		b.end(err)
	}
}

func (w *relayLoop) gathers() (bytes int) { return defaultQueueBytes / batchPart }
func (w *relayLoop) blocks() bool         { return true }

// owes reports that what the loop has not yielded is given back.
func (w *relayLoop) owes() bool { return true }
