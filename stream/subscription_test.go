package stream_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A subscription that is cancelled while the pump waits for room in its queue
// must end even if the pump finds room at the same moment.
func TestCancelWhileThePumpWaits(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			p := script.Start(t, stream.Client, nil, nil)
			sub := p.Conn.Chan(context.Background(), &stream.SubscribeOptions{Size: 1})
			p.Sends(script.Text("one"), script.Text("two"))
			synctest.Wait() // "one" is in the queue, the pump waits to add "two"
			<-sub.C         // "two" takes the room
			sub.Cancel()
			synctest.Wait()
			for n := 0; ; n++ {
				select {
				case _, open := <-sub.C:
					if open && n == 0 {
						continue // "two"
					}
				default:
					t.Errorf("C is still open after Cancel, Err is %v", sub.Err())
				}
				break
			}
			p.Conn.CloseNow(nil)
		})
	}
}

// A subscription that was cancelled is gone, also while nothing comes: the
// connection keeps nothing of it.
func TestCancelledSubscriptionsAreNotKept(t *testing.T) {
	for name, subscribe := range map[string]func(c *stream.Conn) func() bool{
		"Chan":    func(c *stream.Conn) func() bool { return cancelled(c.Chan(ctx, nil)) },
		"Batches": func(c *stream.Conn) func() bool { return cancelled(c.Batches(ctx, nil)) },
		"a context": func(c *stream.Conn) func() bool {
			ctx, cancel := context.WithCancel(ctx)
			sub := c.Chan(ctx, nil)
			cancel()
			return cancelled(sub)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			p := script.Client(t, nil)
			var gone []func() bool
			for range 100 {
				gone = append(gone, subscribe(p.Conn))
			}
			synctest.Wait()
			runtime.GC()
			kept := 0
			for _, gone := range gone {
				if !gone() {
					kept++
				}
			}
			// The last one may still lie on a stack.
			if kept > 1 {
				t.Errorf("%d of 100 cancelled subscriptions are kept", kept)
			}
			isOpen(t, p)
		})
	}
}

// cancelled cancels a subscription and returns what tells whether it is gone.
func cancelled[T any](sub *stream.Subscription[T]) func() bool {
	sub.Cancel()
	p := weak.Make(sub)
	return func() bool { return p.Value() == nil }
}
