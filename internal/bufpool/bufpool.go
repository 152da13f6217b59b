// Package bufpool is memory that goes round: buffers in size classes, and the
// tickets of what lies in them. Collector work is the largest cost of bytes
// that are handed away, so whoever is done with them gives their memory back.
//
// A buffer has one of two kinds of holders. [Get] makes the caller its only
// one, and [Buffer.Free] gives it back. Or it is filled with parts that have
// holders of their own: then each part has a ticket, and the buffer goes back
// with the last of them.
package bufpool

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// A Buffer is memory of a size class: a power of two from 64 bytes to 1 MiB.
// Larger ones have the size that was asked for, and are not pooled.
type Buffer struct {
	Mem []byte // its length is the class
	// Side is what the user of the package keeps beside the memory. It goes
	// round with it. If it has a method Freed, that is called, under the race
	// detector, when the buffer goes back.
	Side any

	live  []atomic.Uint64 // a cycle, and a bit for each of 16 parts that have their ticket
	refs  atomic.Int32    // words of live with such a bit, and the slab while it is open
	cycle uint64
}

const (
	minClass = 6  // 64 bytes
	maxClass = 20 // 1 MiB

	// MaxPooled is the size of the largest buffers that are pooled.
	MaxPooled = 1 << maxClass
)

var pools [maxClass + 1]sync.Pool

// Get returns a buffer of at least n bytes, which may hold anything.
func Get(n int) *Buffer {
	count(1)
	class := max(minClass, bits.Len(uint(max(n, 1)-1)))
	if class > maxClass {
		return newBuffer(n)
	}
	if b, ok := pools[class].Get().(*Buffer); ok {
		return b
	}
	return newBuffer(1 << class)
}

func newBuffer(n int) *Buffer {
	parts := 1
	if n >= SlabSize {
		parts = min(n/16, maxParts)
	}
	return &Buffer{Mem: make([]byte, n), live: make([]atomic.Uint64, (parts+partsInWord-1)/partsInWord)}
}

// Free gives the buffer back; the caller must be its only holder. A nil buffer
// has nothing to give. Under the race detector the bytes are overwritten first,
// so that a test shows whoever kept them.
func (b *Buffer) Free() {
	if b == nil {
		return
	}
	count(-1)
	spoil(b)
	if class := bits.Len(uint(len(b.Mem) - 1)); class <= maxClass {
		pools[class].Put(b)
	}
}
