package deflate

import (
	"runtime"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// perConnection returns how many bytes of the heap a connection keeps after
// many different messages went both ways.
func perConnection(t *testing.T, agreed Setup, level int) int {
	t.Helper()
	const connections = 20
	var messages [][]byte
	for kind := range corpora {
		messages = append(messages, corpus(kind, 1000, 40)...)
		messages = append(messages, corpus(kind, 50_000, 2)...)
	}
	heap := func() int {
		var m runtime.MemStats
		for range 3 { // what the pools hold goes too
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	var all []any
	before := heap()
	for range connections {
		s, w := newTestSender(agreed, Options{Level: level})
		r := newReceiver(s.state)
		for _, m := range messages {
			send(t, s, whole(m))
			payload, _ := w.message(t)
			if _, err := receive(t, r, arriving(payload, 1<<20)[0], nil); err != nil {
				t.Fatal(err)
			}
		}
		history, entries := kept(agreed.LocalMaxWindowBits, level)
		if agreed.LocalContextMode == Takeover && (s.window.n != history || len(s.table) != entries || r.window.n != r.window.size) {
			t.Fatalf("%+v: the windows hold %d and %d bytes, the table %d entries", agreed, s.window.n, r.window.n, len(s.table))
		}
		all = append(all, s, r)
	}
	grown := heap() - before
	runtime.KeepAlive(messages)
	runtime.KeepAlive(all)
	return grown / connections
}

// A connection keeps 2^bits bytes for each direction and little more, whatever
// went over it: at 15 bits less than 72 KiB with everything.
func TestMemory(t *testing.T) {
	if raced {
		t.Skip("one goroutine, and a heap that is not the program's")
	}
	const little = 1 << 10
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		for _, level := range []int{fastest, thorough} {
			if got := perConnection(t, setup(Takeover, bits), level); got > 2<<bits+little {
				t.Errorf("%d bits, level %d: a connection keeps %d bytes, want at most %d", bits, level, got, 2<<bits+little)
			}
		}
	}
	if got := perConnection(t, setup(NoTakeover, 15), fastest); got > little {
		t.Errorf("without takeover, a connection keeps %d bytes", got)
	}
}

// The pools work: a message makes nothing anew.
func TestAllocations(t *testing.T) {
	if raced {
		t.Skip("a pool forgets some of what it is given")
	}
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
		if n := testing.AllocsPerRun(100, round); n > 0 {
			t.Errorf("level %d: %v allocations for each message", level, n)
		}
	}
}
