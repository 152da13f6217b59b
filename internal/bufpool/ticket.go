package bufpool

// A Ticket is the right to one part of a buffer. It counts once, and only in
// the cycle that it was issued in: each time a buffer is filled with parts is a
// cycle, and has a number of 48 bits, which a buffer that is filled a million
// times a second reaches after nine years.
//
// The low 16 bits are the part's index, the others the cycle.
type Ticket uint64

const (
	indexBits   = 16
	partsInWord = 16   // the bits of a word that its cycle leaves
	maxParts    = 4096 // parts in a cycle, at most
	allParts    = 1<<partsInWord - 1
)

func (t Ticket) index() int    { return int(t & (1<<indexBits - 1)) }
func (t Ticket) cycle() uint64 { return uint64(t) >> indexBits }

// begin begins a cycle, for as many holders.
func (b *Buffer) begin(refs int32) {
	b.cycle++
	b.refs.Store(refs)
}

// issue gives the parts of a word their tickets and returns the one of part i,
// the word's first.
func (b *Buffer) issue(i int, parts uint64) Ticket {
	b.live[i/partsInWord].Store(b.cycle<<partsInWord | parts)
	return Ticket(b.cycle<<indexBits | uint64(i))
}

// Only makes the whole buffer one part and returns its ticket.
func (b *Buffer) Only() Ticket {
	b.begin(1)
	return b.issue(0, 1)
}

// Release takes a ticket back; the last one of a cycle frees the buffer. One
// that was taken back before, also in an earlier cycle, does nothing. Any
// goroutine may call it.
func (b *Buffer) Release(t Ticket) {
	b.clear(t, 1<<(t.index()%partsInWord))
}

// clear takes the tickets of these parts back, which stand in one word with t.
func (b *Buffer) clear(t Ticket, parts uint64) {
	word := &b.live[t.index()/partsInWord]
	for {
		old := word.Load()
		if old>>partsInWord != t.cycle() || old&parts == 0 {
			return
		}
		if !word.CompareAndSwap(old, old&^parts) {
			continue
		}
		if old&^parts&allParts == 0 {
			b.leave()
		}
		return
	}
}

// leave is the end of one holder. The last one frees the buffer.
func (b *Buffer) leave() {
	if b.refs.Add(-1) == 0 {
		b.Free()
	}
}
