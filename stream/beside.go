package stream

import "github.com/wsflow/wsflow/internal/bufpool"

// A beside is what goes round with a buffer of the pool: room for the batches in
// which its messages are given away.
type beside struct {
	batches [][]Message // room for batches of the messages in the buffer
	used    int         // of batches, since the buffer was opened as a slab
}

func besideOf(b *bufpool.Buffer) *beside {
	s, ok := b.Side.(*beside)
	if !ok {
		s = new(beside)
		b.Side = s
	}
	return s
}

// batchRoom is for how many messages a buffer has room in batches.
const batchRoom = 1024

// batch returns an empty slice with room for so many messages, all of them to
// lie in this buffer; nil if there is no more room.
func (s *beside) batch(room int) []Message {
	batch := s.next(room)
	if batch != nil {
		s.used++
	}
	return batch
}

// next returns what batch would.
func (s *beside) next(room int) []Message {
	if (s.used+1)*room > batchRoom {
		return nil
	}
	if s.used == len(s.batches) {
		s.batches = append(s.batches, nil)
	}
	batch := &s.batches[s.used]
	if cap(*batch) < room {
		*batch = make([]Message, 0, room)
	}
	return (*batch)[:0:room]
}

// Freed clears the batches, so that a test shows whoever kept one.
func (s *beside) Freed() {
	for _, batch := range s.batches {
		clear(batch[:cap(batch)])
	}
}
