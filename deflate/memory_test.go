package deflate

import (
	"runtime"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// perConnection returns how many bytes of the heap a connection keeps after
// messages went both ways.
func perConnection(t *testing.T, agreed Setup) int {
	t.Helper()
	const connections = 20
	messages := corpus("records", 20_000, 3)
	heap := func() int {
		var m runtime.MemStats
		for range 3 { // what the pools hold goes too
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	var kept []any
	before := heap()
	for range connections {
		s, w := newTestSender(agreed, Options{Level: fastest})
		r := newReceiver(s.state)
		for _, m := range messages {
			send(t, s, whole(m))
			payload, _ := w.message(t)
			if _, err := receive(t, r, arriving(payload, 1<<20)[0], nil); err != nil {
				t.Fatal(err)
			}
		}
		if table := agreed.LocalContextMode == Takeover && agreed.LocalMaxWindowBits >= tableLeastBits; (s.table != nil) != table {
			t.Fatalf("%+v: the table is %d entries", agreed, len(s.table))
		}
		kept = append(kept, s, r)
	}
	grown := heap() - before
	runtime.KeepAlive(kept)
	return grown / connections
}

// At 15 bits a connection keeps at most 72 KiB in all; below, 2^bits for each
// direction and little more.
func TestMemory(t *testing.T) {
	const little = 1 << 10
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		most := 2<<bits + little
		if bits >= tableLeastBits {
			most += 2 * tableKept
		}
		if got := perConnection(t, setup(Takeover, bits)); got > most || got > 72<<10 {
			t.Errorf("%d bits: a connection keeps %d bytes, want at most %d", bits, got, most)
		}
	}
	if got := perConnection(t, setup(NoTakeover, 15)); got > little {
		t.Errorf("without takeover, a connection keeps %d bytes", got)
	}
}

// The pools work: a message makes nothing anew. (Under the race detector a pool
// forgets some of what it is given.)
func TestAllocations(t *testing.T) {
	for _, level := range []int{1, 6} {
		s := newSender(&State{agreed: setup(Takeover, 15)}, Options{Level: level}, nil)
		r := newReceiver(s.state)
		s.down = func(f stream.Frame) error {
			_, more, err := r.in(f)
			for more && err == nil {
				_, more, err = r.in(stream.Frame{})
			}
			return err
		}
		messages := corpus("records", 2000, 50)
		i := 0
		round := func() {
			if err := s.out(whole(messages[i%len(messages)])); err != nil {
				t.Fatal(err)
			}
			i++
		}
		for range messages { // until the windows are full
			round()
		}
		if n := testing.AllocsPerRun(100, round); n > 0 && !raced {
			t.Errorf("level %d: %v allocations for each message", level, n)
		}
	}
}
