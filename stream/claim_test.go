package stream

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/result"
)

// A subscriber leaves when it ends, though no message comes: nothing of it stays.
func TestEndedSubscribersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := clientOverPipe(t)
		live := c.Chan(t.Context(), nil)
		for range 1000 {
			ctx, cancel := context.WithCancel(t.Context())
			c.Chan(ctx, nil)
			c.Batches(ctx, nil)
			cancel()
		}
		synctest.Wait()
		if n := len(c.source.lanes); n != 1 {
			t.Errorf("%d lanes are left of 2001, want that of the live one", n)
		}
		live.Cancel()
		synctest.Wait()
		if c.source.mode != modeFree || len(c.source.lanes) > 0 || c.source.last != nil {
			t.Errorf("all have left, and the source is %+v", c.source.lanes)
		}
		theirs.Close()
	})
}

// A program that polls gets a message that takes longer to come than it waits.
func TestPollingGetsALargeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := clientOverPipe(t)
		const size = 8 << 20
		go func() {
			theirs.Write([]byte{0x82, 127, 0, 0, 0, 0, size >> 24, size >> 16 & 0xFF, 0, 0})
			for range size >> 16 {
				time.Sleep(time.Millisecond)
				theirs.Write(make([]byte, 1<<16))
			}
		}()
		for polls := 0; ; polls++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			m, ok := <-c.Chan(ctx, nil).C
			cancel()
			if ok {
				if len(m.Data) != size {
					t.Errorf("a message of %d bytes comes", len(m.Data))
				}
				break
			}
			if polls > 1000 {
				t.Fatal("the message does not come")
			}
		}
		theirs.Close()
	})
}

// A survivor of a queue that drops keeps none of what was dropped around it: the
// messages of a queue keep at most 16 KiB for nine of them, and their own copies.
func TestSurvivorsKeepLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := clientOverPipe(t)
		const size = 500
		s := c.Chan(t.Context(), &SubscribeOptions{Policy: DropNewest, Size: size})
		frame := append([]byte{0x82, 64}, make([]byte, 64)...)
		var burst []byte
		for range 1000 {
			burst = append(burst, frame...)
		}
		held := map[any]int{}
		for range size {
			theirs.Write(burst)
			synctest.Wait()
			m := <-s.C
			held[m.own] = len(m.own.Mem)
		}
		kept := 0
		for _, n := range held {
			kept += n
		}
		if most := size * (16<<10/9 + 128); kept > most {
			t.Errorf("%d messages of 64 bytes keep %d bytes, want up to %d", size, kept, most)
		}
		c.CloseNow(nil)
		theirs.Close()
	})
}

func clientOverPipe(t *testing.T) (*Conn, net.Conn) {
	ours, theirs := net.Pipe()
	c, err := New(ours, Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil); theirs.Close() })
	return c, theirs
}

// A late host adds the lane when the subscription's context has ended.
type lateHost struct {
	host
	cancel context.CancelFunc
	ended  <-chan Message
}

func (h *lateHost) subscribe(l lane) error {
	h.cancel()
	<-h.ended
	return h.host.subscribe(l)
}

// A subscription whose context ends while it begins leaves nothing behind.
func TestContextEndsWhileASubscriptionBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := clientOverPipe(t)
		r, f := NewRelay(nil)
		for _, h := range []host{c, r} {
			ctx, cancel := context.WithCancel(t.Context())
			late := &lateHost{host: h, cancel: cancel}
			s, err := newSubscription[Message](late, nil, 1)
			late.ended = s.C
			s.open(ctx, newSingles(s), err)
			if s.Err() != context.Canceled {
				t.Errorf("it ends with %v", s.Err())
			}
		}
		go theirs.Write([]byte("\x82\x07message"))
		f.Put(t.Context(), Message{Type: Binary, Data: []byte("message")})
		for _, h := range []host{c, r} {
			if m := <-chanOf(t.Context(), h, nil).C; m.String() != "message" {
				t.Errorf("%q comes", m)
			}
		}
		f.End(result.Status{})
	})
}
