package stream

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
)

// Functions run one at a time and in order, those too that are posted by others and
// those behind one that ends its goroutine.
func TestSerialRunsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gates, running := 0, false
		var got []int
		s := serial{gate: func() { gates++ }}
		note := func(n int) func() {
			return func() {
				if running {
					t.Error("two run at a time")
				}
				running = true
				defer func() { running = false }()
				got = append(got, n)
				if n == 2 {
					runtime.Goexit()
				}
			}
		}
		posted := make(chan struct{})
		s.post(func() {
			<-posted
			s.post(note(3))
			note(1)()
		})
		s.post(note(2))
		close(posted)
		synctest.Wait()
		s.post(note(4))
		synctest.Wait()
		if !slices.Equal(got, []int{1, 2, 3, 4}) {
			t.Errorf("they ran in the order %v", got)
		}
		if gates != 3 {
			t.Errorf("the gate was waited for %d times, want once for each goroutine", gates)
		}
	})
}

// With run, nothing else runs a function.
func TestSerialHandsFunctionsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var posted []func()
		s := serial{run: func(f func()) { posted = append(posted, f) }}
		ran := 0
		for range 3 {
			s.post(func() { ran++ })
		}
		synctest.Wait()
		if len(posted) != 3 || ran != 0 {
			t.Errorf("%d were handed on, and %d ran", len(posted), ran)
		}
		posted[0]()
		if ran != 1 {
			t.Error("what was handed on is not what was posted")
		}
	})
}
