package fanin

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A window is a list of the last keys, only faster.
func TestWindow(t *testing.T) {
	for _, most := range []int{1, 2, 7, 64} {
		random := rand.New(rand.NewPCG(uint64(most), 1))
		w := newWindow(most)
		var last []uint64
		for i := range 10_000 {
			key := random.Uint64N(uint64(2 * most))
			fresh := !slices.Contains(last, key)
			if got := w.add(key); got != fresh {
				t.Fatalf("most %d: key %d, number %d, is fresh: %t, want %t", most, key, i, got, fresh)
			}
			if fresh {
				last = append(last, key)
				last = last[max(0, len(last)-most):]
			}
			if len(w.seen) > most || len(w.ring) > most {
				t.Fatalf("most %d: %d keys in the map and %d in the ring", most, len(w.seen), len(w.ring))
			}
		}
	}
}

// A key is as good as any other: zero, too, is new once.
func TestWindowTakesZero(t *testing.T) {
	w := newWindow(2)
	if !w.add(0) || w.add(0) {
		t.Error("zero is not new exactly once")
	}
}
