package stream

import "sync"

// Skipped returns how many messages the policy of this subscription dropped
// directly before this one: between the message that was given before it, or the
// start of the subscription, and itself. In a batch the first message tells it.
// It is 0 where nothing was dropped, and for messages of [Conn.All]. What was
// dropped behind the last message is in Subscription.Dropped alone.
func (m Message) Skipped() uint64 {
	if m.tag == nil {
		return 0
	}
	return m.tag.dropped()
}

// A tag is what a few messages say of themselves beside what all do. Those of one
// connection of a Relay share one, until something is dropped before one of them.
type tag struct {
	origin  *Origin
	gap     *Gap
	skipped uint64      // guarded by guard, unless that is nil
	number  uint64      // in its queue
	guard   *sync.Mutex // what came before the message may still be dropped
}

// bare returns a tag that tells of no dropped message. A nil tag stays nil.
func (t *tag) bare() *tag {
	switch {
	case t == nil || t.skipped == 0 && t.guard == nil:
		return t
	case t.origin == nil && t.gap == nil:
		return nil
	}
	return &tag{origin: t.origin, gap: t.gap}
}

func (t *tag) dropped() uint64 {
	if t.guard != nil {
		t.guard.Lock()
		defer t.guard.Unlock()
	}
	return t.skipped
}

// skips tells each item of a queue how many messages were dropped directly before
// it. Where the oldest are dropped, those that follow them stand in the queue
// already: they have a tag, unless the queue was empty when they came, in which
// it is told later. The guard makes a drop and the note of it one step for
// whoever takes the next item meanwhile. A nil skips is that of a queue that drops
// nothing.
type skips struct {
	count uint64 // dropped behind the last item in the queue

	// Nil and zero unless the oldest of several items may be dropped.
	guard *sync.Mutex
	tags  []*tag // a ring: of the last items, by number
	next  uint64 // number of the next item
	bare  uint64 // number of the last item that has no tag
}

// newSkips returns the skips of a queue of which so many items may wait when the
// oldest is dropped.
func newSkips(capacity int) *skips {
	if capacity == 1 { // the item that comes is the next one
		return &skips{}
	}
	return &skips{guard: new(sync.Mutex), tags: make([]*tag, capacity)}
}

// mark tells an item that goes into the queue, in its first message. The queue
// holds waiting items before it.
func (s *skips) mark(first *Message, waiting int) {
	if s == nil {
		return
	}
	n := s.next
	s.next++
	follows := s.guard != nil && waiting > 0
	if s.guard != nil && !follows {
		s.bare = n
	}
	if s.count == 0 && !follows {
		return
	}
	t := &tag{}
	if first.tag != nil {
		*t = *first.tag
	}
	t.skipped, s.count = s.count, 0
	if follows {
		t.number, t.guard = n, s.guard
		s.tags[n%uint64(len(s.tags))] = t
	}
	first.tag = t
}

// behind notes that so many messages were dropped behind the last item.
func (s *skips) behind(n uint64) { s.count += n }

// front notes, under the guard, that the first item of the queue was dropped,
// which had so many messages.
func (s *skips) front(first *tag, n uint64) {
	number := s.bare
	if first != nil {
		n += first.skipped
		if first.guard != nil {
			number = first.number
		}
	}
	if s.guard == nil || number+1 == s.next {
		s.behind(n)
		return
	}
	s.tags[(number+1)%uint64(len(s.tags))].skipped += n
}

func (s *skips) lock() {
	if s.guard != nil {
		s.guard.Lock()
	}
}

func (s *skips) unlock() {
	if s.guard != nil {
		s.guard.Unlock()
	}
}
