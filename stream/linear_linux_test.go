package stream

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/wire"
)

// growsLinearly fails if eight runs of f for 8n need far more of the processor's time
// than 64 for n, which are as much: eight times, if the work grows with the square. What
// counts is the time of this thread, which others on a busy machine do not take part in.
// It is told in steps of milliseconds, so that a single run is too short.
func growsLinearly(t *testing.T, n int, f func(n int)) {
	t.Helper()
	const tries = 10
	for range tries { // one that nothing disturbs is enough
		if few, many := threadTime(8, 8*n, f), threadTime(64, n, f); few <= 4*many {
			return
		}
	}
	t.Errorf("the work for %d grows with the square", 8*n)
}

func threadTime(runs, n int, f func(n int)) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() time.Duration {
		const thread = 1 // RUSAGE_THREAD
		var u syscall.Rusage
		syscall.Getrusage(thread, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	for range runs {
		f(n)
	}
	return used() - before
}

// A peer may send the smallest frames without end while nobody takes any. Each of
// them is found in the same time, however many segments lie before it.
func TestScanOfManySegments(t *testing.T) {
	const size = 64
	growsLinearly(t, 500, func(segments int) {
		in := &inbound{parsing: &idle}
		defer in.clear()
		var space [wire.MaxHeader + wire.MaxControl]byte
		for range segments {
			p := in.roomAhead(size)
			for i := range p {
				p[i] = 0x82 & byte(i%2-1) // empty binary messages
			}
			in.cameAhead(len(p))
			in.scan(&space)
		}
		if want := uint64(segments * size / 2); in.walked != want {
			t.Fatalf("%d messages were passed, want %d", in.walked, want)
		}
	})
}
