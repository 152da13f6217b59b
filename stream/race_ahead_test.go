//go:build race

package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// An idle connection holds no buffer, also when somebody was reading ahead before
// its consumer came, or came back.
func TestIdleAfterLookingAheadHoldsNoBuffer(t *testing.T) {
	check := func(t *testing.T, before int64) {
		t.Helper()
		if n := stream.Lent() - before; n > 0 {
			t.Errorf("an idle connection holds %d buffers", n)
		}
	}
	take := func(c *stream.Conn) {
		go func() {
			for range c.All(ctx) {
			}
		}()
	}
	t.Run("plain socket", func(t *testing.T) {
		before := stream.Lent()
		ours, _ := sockets(t)
		c, err := stream.New(ours, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow(nil)
		time.Sleep(1200 * time.Millisecond) // the look-ahead waits
		take(c)
		time.Sleep(100 * time.Millisecond)
		check(t, before)
		resume := c.Pause()
		time.Sleep(1200 * time.Millisecond)
		resume()
		time.Sleep(100 * time.Millisecond)
		check(t, before)
	})
	t.Run("pipe", func(t *testing.T) {
		before := stream.Lent()
		synctest.Test(t, func(t *testing.T) {
			c, theirs := overPipe(t)
			time.Sleep(time.Minute)
			take(c)
			synctest.Wait()
			check(t, before)
			theirs.Close()
			<-c.Done()
		})
	})
}
