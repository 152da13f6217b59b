//go:build race

package bufpool

import "sync/atomic"

// lent is the number of buffers that are out of the pool.
var lent atomic.Int64

func count(n int64) { lent.Add(n) }

// Lent returns how many buffers were taken and not given back, under the race
// detector; without it, nobody counts, and it returns 0.
func Lent() int64 { return lent.Load() }

// Poison overwrites, under the race detector, bytes that nobody may use any
// more.
func Poison(p []byte) {
	for n := copy(p, "\xDB"); n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}

func spoil(b *Buffer) {
	Poison(b.Mem)
	if side, ok := b.Side.(interface{ Freed() }); ok {
		side.Freed()
	}
}
