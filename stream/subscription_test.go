package stream_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A subscription that is cancelled while the pump waits for room in its queue
// must end even if the pump finds room at the same moment.
func TestCancelWhileThePumpWaits(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			p := script.Start(t, stream.Client, nil, nil)
			sub := p.Conn.Chan(context.Background(), &stream.Queue{Size: 1})
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
