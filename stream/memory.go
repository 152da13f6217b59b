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
// message has a ticket: the cycle, 24 bits, and the message's index, 8 bits. A
// ticket counts once, and only while its cycle lasts.
type buffer struct {
	mem   []byte          // its length is the class
	live  []atomic.Uint64 // the cycle, and a bit for each of 32 messages not released yet
	refs  atomic.Int32    // words of live with such a bit
	cycle uint32
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
	if n == slabSize {
		messages = slabCount
	}
	return &buffer{mem: make([]byte, n), live: make([]atomic.Uint64, (messages+31)/32)}
}

// issue begins a cycle of n messages, and returns the first one's ticket. The
// tickets that follow it are those of the other messages.
func (b *buffer) issue(n int) (ticket uint32) {
	words := (n + 31) / 32
	b.cycle = max(1, (b.cycle+1)&0xFFFFFF)
	b.refs.Store(int32(words))
	for i := range words {
		b.live[i].Store(uint64(b.cycle)<<32 | (1<<min(32, n-32*i) - 1))
	}
	return b.cycle << 8
}

// release takes a ticket back, once.
func (b *buffer) release(ticket uint32) {
	b.clear(ticket, 1<<(ticket&31))
}

// clear takes tickets back: those of the bits, in the word that ticket stands
// in. The last ticket frees the buffer.
func (b *buffer) clear(ticket uint32, bits uint64) {
	word := &b.live[ticket&0xFF>>5]
	for {
		old := word.Load()
		if uint32(old>>32) != ticket>>8 || old&bits == 0 {
			return
		}
		if !word.CompareAndSwap(old, old&^bits) {
			continue
		}
		if uint32(old&^bits) == 0 && b.refs.Add(-1) == 0 {
			b.free()
		}
		return
	}
}

const (
	slabSize  = 16 << 10 // memory that many small messages share
	slabCount = 256      // how many at most, as a ticket has 8 bits for them
	slabMax   = 1 << 10  // the largest of them, in bytes
	slabAfter = 8        // messages in a row before sharing begins
)

// An arena gives messages to one subscriber. Messages that come alone have
// memory of their own; those that come in bursts share slabs, which go back to
// the pool with the last of their messages.
type arena struct {
	b     *buffer
	room  []byte // what is left of it
	first uint32 // its first ticket
	n     uint32 // messages in it
	burst int
}

// own makes dst a copy of a lent message that its receiver owns.
func (a *arena) own(dst *Message, m Message) {
	size := len(m.Data)
	if a.burst++; a.burst <= slabAfter || size > slabMax {
		*dst = m.Clone()
		return
	}
	if a.b == nil || a.n == slabCount || size > len(a.room) {
		a.seal()
		a.b = take(slabSize)
		a.first, a.room = a.b.issue(slabCount), a.b.mem
	}
	dst.Data = a.room[:copy(a.room, m.Data):size]
	dst.Type, dst.Verbatim = m.Type, m.Verbatim
	dst.own, dst.ticket = a.b, a.first+a.n
	a.room = a.room[size:]
	a.n++
}

// rest ends a burst.
func (a *arena) rest() {
	a.burst = 0
	a.seal()
}

// seal makes the slab's messages its only holders: it takes back the tickets
// that no message got.
func (a *arena) seal() {
	if a.b == nil {
		return
	}
	for i := a.n; i < slabCount; i = i&^31 + 32 {
		a.b.clear(a.first+i, 0xFFFFFFFF<<(i&31)&0xFFFFFFFF)
	}
	a.b, a.room, a.n = nil, nil, 0
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
