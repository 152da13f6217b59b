package result

import (
	"context"
	"runtime"
	"testing"
)

// Who learns of the end in any way finds Done closed, and so waits for a settle
// that is half done.
func TestDoneIsClosedAtTheEnd(t *testing.T) {
	for name, learn := range map[string]func(*Promise) bool{
		"Status": func(p *Promise) bool { _, ok := p.Status(); return ok },
		"Wait":   func(p *Promise) bool { _, err := p.Wait(context.Background()); return err == nil },
	} {
		p, _ := NewPromise(nil)
		done := p.Done()
		p.mu.Lock()
		p.status.Store(&Status{Code: StatusNormalClosure}) // the first half
		closed := make(chan bool)
		go func() {
			settled := learn(p)
			select {
			case <-done:
				closed <- settled
			default:
				closed <- false
			}
		}()
		early := false
		for range 10_000 { // time to learn too early
			select {
			case <-closed:
				early = true
			default:
				runtime.Gosched()
			}
		}
		close(p.done) // the second half
		p.mu.Unlock()
		if early || !<-closed {
			t.Errorf("%s tells of the end, and Done is not closed", name)
		}
	}
}
