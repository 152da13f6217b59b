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

// A Buffer is memory of a size class, from 64 bytes to 1 MiB. Classes are powers
// of two, and from 4 KiB on there are three more between two of those, as what
// is handed away is kept for long. Larger buffers have the size that was asked
// for, and are not pooled.
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
	minBits  = 6  // 64 bytes
	fineBits = 12 // 4 KiB
	maxBits  = 20 // 1 MiB

	// MaxPooled is the size of the largest buffers that are pooled.
	MaxPooled = 1 << maxBits
)

var pools [4 * (maxBits + 1)]sync.Pool

// class returns the number and the size of the smallest class that holds n
// bytes, which are at most MaxPooled.
func class(n int) (number, size int) {
	if n <= 1<<fineBits {
		b := max(minBits, bits.Len(uint(max(n, 1)-1)))
		return 4 * b, 1 << b
	}
	b := bits.Len(uint(n-1)) - 1 // n lies above 1<<b
	quarter := (n - 1) >> (b - 2) & 3
	return 4*b + quarter + 1, 1<<b + (quarter+1)<<(b-2)
}

// Get returns a buffer of at least n bytes, which may hold anything.
func Get(n int) *Buffer {
	count(1)
	if n > MaxPooled {
		return newBuffer(n)
	}
	number, size := class(n)
	if b, ok := pools[number].Get().(*Buffer); ok {
		return b
	}
	return newBuffer(size)
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
	if len(b.Mem) <= MaxPooled {
		number, _ := class(len(b.Mem))
		pools[number].Put(b)
	}
}
