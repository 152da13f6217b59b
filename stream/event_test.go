package stream

import (
	"sync"
	"testing"
)

// An event happens once, whoever waits and since when.
func TestEvent(t *testing.T) {
	for name, before := range map[string]bool{"waited for": true, "not waited for": false} {
		var e event
		var done <-chan struct{}
		if before {
			if done = e.done(); done != e.done() {
				t.Errorf("%s: two who wait have different channels", name)
			}
			if closed(done) {
				t.Errorf("%s: it has happened before it was fired", name)
			}
		}
		if e.fired() {
			t.Errorf("%s: it was fired", name)
		}
		if !e.fire() || e.fire() {
			t.Errorf("%s: not the first call alone made it happen", name)
		}
		if !e.fired() || !closed(e.done()) || before && !closed(done) {
			t.Errorf("%s: it has not happened for all", name)
		}
	}
}

func TestEventFiredByMany(t *testing.T) {
	for range 200 {
		var e event
		first, all := make(chan bool, 8), sync.WaitGroup{}
		for range 4 {
			all.Go(func() { <-e.done() })
			all.Go(func() { first <- e.fire() })
		}
		all.Wait()
		n := 0
		for range 4 {
			if <-first {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%d made it happen", n)
		}
	}
}
