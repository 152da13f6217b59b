package stream

import "github.com/wsflow/wsflow/internal/bufpool"

const (
	slabMax   = 1 << 10 // the largest messages that share a slab, in bytes
	slabAfter = 8       // messages in a row before sharing begins
)

// An arena gives messages to one subscriber. Messages that come alone have
// memory of their own; those that come in bursts share slabs.
type arena struct {
	slab  bufpool.Slab
	room  []byte // what is left of it
	burst int
}

// own fills dst with messages that the receiver owns: lent ones are copied,
// and those that are given to it already are passed on.
func (a *arena) own(dst, messages []Message) {
	if messages[0].own != nil {
		copy(dst, messages)
		return
	}
	for i := range messages {
		a.copy(&dst[i], &messages[i])
	}
}

// copy makes dst a copy of a lent message.
func (a *arena) copy(dst, m *Message) {
	size := len(m.Data)
	if a.burst++; a.burst <= slabAfter || size > slabMax {
		*dst = m.Clone()
		return
	}
	if a.slab.Left() == 0 || size > len(a.room) {
		a.slab.Seal()
		a.slab.Open(bufpool.Get(bufpool.SlabSize))
		a.room = a.slab.Buffer().Mem
	}
	dst.Data = a.room[:copy(a.room, m.Data):size]
	dst.Type, dst.tag = m.Type, m.tag
	dst.own, dst.ticket = a.slab.Buffer(), a.slab.Ticket()
	a.room = a.room[size:]
}

// rest ends a burst.
func (a *arena) rest() {
	a.burst, a.room = 0, nil
	a.slab.Seal()
}
