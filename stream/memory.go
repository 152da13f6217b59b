package stream

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// A buffer is memory of a size class: a power of two from 64 bytes to 1 MiB.
// Owned messages lie in buffers, one or many in each, and connections borrow
// them while bytes are on their way. Collector work is the largest cost of
// owned messages, so the memory goes round through one pool for each class.
//
// Each time a buffer is filled with messages is a cycle, and has a number. Each
// message has a ticket: the cycle, 20 bits, and the message's index, 12 bits. A
// ticket counts once, and only while its cycle lasts.
type buffer struct {
	mem   []byte          // its length is the class
	live  []atomic.Uint64 // the cycle, and a bit for each of 32 messages not released yet
	refs  atomic.Int32    // words of live with such a bit, and the slab while it is open
	cycle uint32

	io      *rawIO      // what a plain socket needs to read into mem or to write it
	batches [][]Message // room for batches of its messages, which goes round with it
	used    int         // of batches, in this cycle
}

const (
	minClass = 6  // 64 bytes
	maxClass = 20 // 1 MiB
)

var pools [maxClass + 1]sync.Pool

// take returns a buffer of at least n bytes. Those over 1 MiB are not pooled.
func take(n int) *buffer {
	borrowed(1)
	class := max(minClass, bits.Len(uint(max(n, 1)-1)))
	if class > maxClass {
		return newBuffer(n)
	}
	if b, ok := pools[class].Get().(*buffer); ok {
		return b
	}
	return newBuffer(1 << class)
}

func newBuffer(n int) *buffer {
	messages := 1
	if n >= slabSize {
		messages = min(n/16, ticketCount)
	}
	return &buffer{mem: make([]byte, n), live: make([]atomic.Uint64, (messages+31)/32)}
}

const (
	ticketBits  = 12
	ticketCount = 1 << ticketBits // messages in a cycle, at most
	cycleMask   = 1<<(32-ticketBits) - 1
)

// begin begins a cycle, for as many holders.
func (b *buffer) begin(refs int32) {
	b.cycle = max(1, (b.cycle+1)&cycleMask)
	b.refs.Store(refs)
	b.used = 0
}

// batchRoom is for how many messages a buffer has room in batches.
const batchRoom = 1024

// batch returns an empty slice with room for so many messages, all of them to
// be in this buffer in this cycle; nil if there is no more room, or no buffer.
func (b *buffer) batch(room int) []Message {
	if b == nil || (b.used+1)*room > batchRoom {
		return nil
	}
	if b.used == len(b.batches) {
		b.batches = append(b.batches, nil)
	}
	batch := &b.batches[b.used]
	b.used++
	if cap(*batch) < room {
		*batch = make([]Message, 0, room)
	}
	return *batch
}

// issue lets the messages of a word have tickets, and returns the one of
// message i, the word's first.
func (b *buffer) issue(i int, bits uint32) (ticket uint32) {
	b.live[i/32].Store(uint64(b.cycle)<<32 | uint64(bits))
	return b.cycle<<ticketBits | uint32(i)
}

// only begins a cycle of one message, and returns its ticket.
func (b *buffer) only() (ticket uint32) {
	b.begin(1)
	return b.issue(0, 1)
}

// release takes a ticket back, once.
func (b *buffer) release(ticket uint32) {
	b.clear(ticket, 1<<(ticket&31))
}

// clear takes tickets back: those of the bits, in the word that ticket stands
// in. The last ticket frees the buffer.
func (b *buffer) clear(ticket uint32, bits uint64) {
	word := &b.live[ticket%ticketCount/32]
	for {
		old := word.Load()
		if uint32(old>>32) != ticket>>ticketBits || old&bits == 0 {
			return
		}
		if !word.CompareAndSwap(old, old&^bits) {
			continue
		}
		if uint32(old&^bits) == 0 {
			b.leave()
		}
		return
	}
}

// leave is the end of one holder. The last one frees the buffer.
func (b *buffer) leave() {
	if b.refs.Add(-1) == 0 {
		b.free()
	}
}

// free gives the buffer back; the caller must be its only holder. Under the
// race detector the bytes are overwritten first, so that a test shows whoever
// kept them. A nil buffer has nothing to give.
func (b *buffer) free() {
	if b == nil {
		return
	}
	borrowed(-1)
	poison(b.mem)
	if raceDetector {
		for _, batch := range b.batches {
			clear(batch[:cap(batch)])
		}
	}
	class := bits.Len(uint(len(b.mem) - 1))
	if class <= maxClass {
		pools[class].Put(b)
	}
}

// poison overwrites, under the race detector, bytes that nobody may use any
// more.
func poison(p []byte) {
	if !raceDetector {
		return
	}
	for n := copy(p, "\xDB"); n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}
