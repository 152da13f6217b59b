package stream

import (
	"math"
	"sync"
)

// handMax is the most messages that are handed on at a time, but for batches.
const handMax = 128

// A hand is messages that are about to be given. Connections have one only
// while there are some.
type hand struct {
	messages    []Message // room for them: the hand's own, or what is given away with them
	n, most     int
	bytes, full int                       // of them, and how many are enough
	whole       bool                      // the slice is to be given away
	add         func(Message, error) bool // adds a lent message, and returns false if there is room for no more

	own  [handMax]Message
	used int // of own, since the hand was taken from the pool
}

var hands = sync.Pool{New: func() any {
	h := new(hand)
	h.add = func(m Message, _ error) bool {
		to := &h.messages[h.n] // field by field is faster, and what burst yields has no ticket
		to.Data, to.Type, to.own, to.tag = m.Data, m.Type, nil, m.tag
		h.n++
		h.bytes += len(m.Data)
		return h.n < h.most && h.bytes < h.full
	}
	return h
}}

// open returns an empty hand for so many messages, or as many as it has room for.
func (f *fanout) open(most int) *hand {
	if f.hand == nil {
		f.hand = hands.Get().(*hand)
	}
	h := f.hand
	h.empty()
	h.messages, h.most, h.full = h.own[:], min(most, handMax), math.MaxInt
	return h
}

// openBatch is open for messages that lie in the reader's buffer. If they are likely to
// be given away with it to one who takes batches, they are put into such a batch at once.
func (f *fanout) openBatch() *hand {
	r := &f.c.r
	h := f.open(f.most(handMax))
	_, bytes := f.prefers()
	if bytes == 0 || !r.shares() {
		return h
	}
	beside := besideOf(r.own)
	if r.slab.Buffer() == nil {
		beside.used = 0
	}
	if room := beside.next(f.guess.room()); room != nil {
		h.messages, h.whole = room[:cap(room)], true
		h.most, h.full = f.most(cap(room)), bytes
	}
	return h
}

// A guess is how many messages the next batch may have.
type guess int

// room returns for how many messages a batch takes a part of its buffer's slices: one
// that is about to be small leaves more of them to others.
func (g guess) room() int {
	if g <= batchMax/4 {
		return batchMax / 4
	}
	return batchMax
}

// after takes in that the last batch had n of at most so many messages.
func (g guess) after(n, most int) guess {
	if n == most {
		n *= 2
	}
	return max(guess(n), g/2)
}

// empty forgets what the hand holds.
func (h *hand) empty() {
	if !h.whole {
		h.used = max(h.used, h.n)
	}
	h.messages, h.n, h.bytes, h.whole = nil, 0, 0, false
}

// shut gives the hand back: what it held may be garbage while the fan-out waits.
func (f *fanout) shut() {
	if h := f.hand; h != nil {
		h.empty()
		clear(h.own[:h.used])
		h.used = 0
		hands.Put(h)
		f.hand = nil
	}
}
