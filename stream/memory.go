package stream

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// A buffer is memory of a size class: a power of two from 64 bytes to 1 MiB.
// Owned messages lie in buffers, and connections borrow them while bytes are
// on their way. Collector work is the largest cost of owned messages, so the
// memory goes round through one pool for each class.
type buffer struct {
	mem []byte        // its length is the class
	gen atomic.Uint32 // goes up with each release, so that only the first one counts
}

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
