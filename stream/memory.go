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
type buffer struct {
	mem   []byte          // its length is the class
	live  []atomic.Uint32 // the tickets of its messages, 0 once released
	refs  atomic.Int32    // messages not released yet
	cycle uint32          // how often messages were put here, so that each ticket is used once
}

// A ticket is the number of the cycle, 24 bits, and the index in live, 8 bits.
// A Release counts only while its ticket is live.

const (
	minClass = 6  // 64 bytes
	maxClass = 20 // 1 MiB
)

var pools [maxClass + 1]sync.Pool

// take returns a buffer of at least n bytes. Those over 1 MiB are not pooled.
func take(n int) *buffer {
	class := max(minClass, bits.Len(uint(max(n, 1)-1)))
	if class > maxClass {
		return &buffer{mem: make([]byte, n)}
	}
	if b, ok := pools[class].Get().(*buffer); ok {
		return b
	}
	return &buffer{mem: make([]byte, 1<<class)}
}

// issue begins a cycle of up to n messages.
func (b *buffer) issue(n int) {
	if len(b.live) < n {
		b.live = make([]atomic.Uint32, n)
	}
	b.cycle = max(1, (b.cycle+1)&0xFFFFFF)
}

// ticket makes the message at index i live.
func (b *buffer) ticket(i int) uint32 {
	t := b.cycle<<8 | uint32(i)
	b.live[i].Store(t)
	return t
}

// release takes a ticket back, once. The last one frees the buffer.
func (b *buffer) release(ticket uint32) {
	if b.live[ticket&0xFF].CompareAndSwap(ticket, 0) && b.refs.Add(-1) == 0 {
		b.free()
	}
}

const (
	slabSize  = 16 << 10 // memory that many small messages share
	slabCount = 128      // how many at most
	slabMax   = 1 << 10  // the largest of them, in bytes
	slabAfter = 8        // messages in a row before sharing begins
)

// An arena gives messages to one subscriber. Messages that come alone have
// memory of their own; those that come in bursts share slabs, which go back to
// the pool with the last of their messages.
type arena struct {
	b     *buffer
	n     int // messages in b
	at    int // bytes in b
	burst int
}

// own returns a copy of a lent message that its receiver owns.
func (a *arena) own(m Message) Message {
	size := len(m.Data)
	if a.burst++; a.burst <= slabAfter || size > slabMax {
		return m.Clone()
	}
	if a.b == nil || a.n == slabCount || a.at+size > slabSize {
		a.seal()
		a.b = take(slabSize)
		a.b.issue(slabCount)
		a.b.refs.Store(slabCount + 1) // more than there will be, until it is sealed
	}
	m.Data = a.b.mem[a.at : a.at+copy(a.b.mem[a.at:], m.Data) : a.at+size]
	m.own, m.ticket = a.b, a.b.ticket(a.n)
	a.n++
	a.at += size
	return m
}

// rest ends a burst.
func (a *arena) rest() {
	a.burst = 0
	a.seal()
}

// seal makes the slab's messages its only holders.
func (a *arena) seal() {
	if a.b != nil && a.b.refs.Add(int32(a.n-slabCount-1)) == 0 {
		a.b.free()
	}
	a.b, a.n, a.at = nil, 0, 0
}

// free gives the buffer back; the caller must be its only holder. Under the
// race detector the bytes are overwritten first, so that a test shows whoever
// kept them. A nil buffer has nothing to give.
func (b *buffer) free() {
	if b == nil {
		return
	}
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
	for i := range p {
		p[i] = 0xDB
	}
}
