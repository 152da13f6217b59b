package stream

import (
	"testing"
	"testing/synctest"
)

// A goroutine runs what was posted, behind the gate, until there is nothing more.
func TestExecutor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gates, ran := 0, 0
		opened := make(chan struct{})
		e := newExecutor(nil, func() {
			gates++
			<-opened
		})
		e.post(func() {
			ran++
			e.post(func() { ran++ })
		})
		e.post(func() { ran++ })
		synctest.Wait()
		if ran != 0 {
			t.Errorf("%d functions ran before the gate was open", ran)
		}
		close(opened)
		synctest.Wait()
		if gates != 1 || ran != 3 {
			t.Errorf("%d functions ran, and the gate was waited for %d times; want 3 and 1", ran, gates)
		}
		e.post(func() { ran++ })
		synctest.Wait()
		if gates != 2 || ran != 4 {
			t.Errorf("later: %d functions ran, and the gate was waited for %d times; want 4 and 2", ran, gates)
		}
	})
}

// With a function that calls them, nothing else does.
func TestExecutorHandsFunctionsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var posted []func()
		e := newExecutor(func(f func()) { posted = append(posted, f) }, func() {})
		ran := 0
		for range 3 {
			e.post(func() { ran++ })
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
