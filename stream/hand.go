package stream

import "sync"

// handMax is the most messages that are handed on at a time.
const handMax = 128

// A hand is messages that are about to be given. Connections have one only
// while there are some.
type hand struct {
	messages [handMax]Message
	n, most  int
	bytes    int
	used     int                       // of messages, since the hand was taken from the pool
	add      func(Message, error) bool // adds a lent message, and returns false if there is room for no more
}

var hands = sync.Pool{New: func() any {
	h := new(hand)
	h.add = func(m Message, _ error) bool {
		to := &h.messages[h.n] // field by field is faster, and what burst yields has no ticket
		to.Data, to.Type, to.own, to.tag = m.Data, m.Type, nil, m.tag
		h.n++
		h.bytes += len(m.Data)
		return h.n < h.most
	}
	return h
}}

// open returns an empty hand for so many messages.
func (f *fanout) open(most int) *hand {
	if f.hand == nil {
		f.hand = hands.Get().(*hand)
	}
	h := f.hand
	h.used = max(h.used, h.n)
	h.n, h.most, h.bytes = 0, most, 0
	return h
}

// shut gives the hand back: what it held may be garbage while the fan-out waits.
func (f *fanout) shut() {
	if h := f.hand; h != nil {
		clear(h.messages[:max(h.used, h.n)])
		h.n, h.used = 0, 0
		hands.Put(h)
		f.hand = nil
	}
}
