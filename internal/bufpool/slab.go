package bufpool

// SlabSize is the size of the smallest buffer that can be a slab of more than
// one part.
const SlabSize = 16 << 10

// A Slab is a buffer that is being filled with parts. Its zero value is none.
// A Slab belongs to one goroutine at a time; the tickets may be anywhere.
type Slab struct {
	b *Buffer
	n int // parts in it
}

// Open makes the buffer a slab; the caller must be its only holder.
func (s *Slab) Open(b *Buffer) {
	b.begin(1)
	s.b, s.n = b, 0
}

// Buffer returns the buffer, nil while there is none.
func (s *Slab) Buffer() *Buffer { return s.b }

// Parts returns how many tickets were issued.
func (s *Slab) Parts() int { return s.n }

// Left returns how many more parts there may be; 0 for none.
func (s *Slab) Left() int {
	if s.b == nil {
		return 0
	}
	return partsInWord*len(s.b.live) - s.n
}

// Ticket returns the ticket of the next part. There must be one [Slab.Left].
func (s *Slab) Ticket() Ticket {
	i := s.n
	s.n++
	if i%partsInWord > 0 {
		return Ticket(s.b.cycle<<indexBits | uint64(i))
	}
	s.b.refs.Add(1)
	return s.b.issue(i, allParts)
}

// Seal makes the parts the only holders of the buffer, which goes back with the
// last of them. The slab is none afterwards.
func (s *Slab) Seal() {
	if s.b == nil {
		return
	}
	if used := s.n % partsInWord; used > 0 { // the word has tickets that nobody got
		s.b.clear(Ticket(s.b.cycle<<indexBits|uint64(s.n)), allParts&^(1<<used-1))
	}
	s.b.leave()
	*s = Slab{}
}
