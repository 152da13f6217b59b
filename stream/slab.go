package stream

const (
	slabSize  = 16 << 10 // memory that many small messages share
	slabMax   = 1 << 10  // the largest of them, in bytes
	slabAfter = 8        // messages in a row before sharing begins
)

// A slab is a buffer that many messages share. It goes back to the pool with
// the last of them, once it is sealed.
type slab struct {
	b *buffer
	n int // messages in it
}

// open begins a slab.
func (s *slab) open(b *buffer) {
	b.begin(1)
	s.b, s.n = b, 0
}

// left returns how many more messages may share the slab.
func (s *slab) left() int { return 32*len(s.b.live) - s.n }

// ticket returns that of the next message.
func (s *slab) ticket() uint32 {
	i := s.n
	s.n++
	if i%32 > 0 {
		return s.b.cycle<<ticketBits | uint32(i)
	}
	s.b.refs.Add(1)
	return s.b.issue(i, 1<<32-1)
}

// seal makes the slab's messages its only holders: it takes back the tickets
// that no message got.
func (s *slab) seal() {
	if s.b == nil {
		return
	}
	if s.n%32 > 0 {
		s.b.clear(s.b.cycle<<ticketBits|uint32(s.n), 1<<32-1<<(s.n%32))
	}
	s.b.leave()
	*s = slab{}
}

// An arena gives messages to one subscriber. Messages that come alone have
// memory of their own; those that come in bursts share slabs.
type arena struct {
	slab  slab
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
	if a.slab.b == nil || a.slab.left() == 0 || size > len(a.room) {
		a.slab.seal()
		a.slab.open(take(slabSize))
		a.room = a.slab.b.mem
	}
	dst.Data = a.room[:copy(a.room, m.Data):size]
	dst.Type, dst.Verbatim = m.Type, m.Verbatim
	dst.own, dst.ticket = a.slab.b, a.slab.ticket()
	a.room = a.room[size:]
}

// rest ends a burst.
func (a *arena) rest() {
	a.burst, a.room = 0, nil
	a.slab.seal()
}
