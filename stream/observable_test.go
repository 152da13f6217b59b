package stream_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// observers are the ways to observe, which share what happens to an observer
// that stops to take.
var observers = map[string]func(c *stream.Conn, opts ...rxgo.Option) <-chan rxgo.Item{
	"Observable": func(c *stream.Conn, opts ...rxgo.Option) <-chan rxgo.Item {
		return c.Observable(nil).Observe(opts...)
	},
	"Observable that drops": func(c *stream.Conn, opts ...rxgo.Option) <-chan rxgo.Item {
		return c.Observable(&stream.SubscribeOptions{Policy: stream.DropNewest}).Observe(opts...)
	},
	"ObservableBatches": func(c *stream.Conn, opts ...rxgo.Option) <-chan rxgo.Item {
		return c.ObservableBatches(nil).Observe(opts...)
	},
}

// eachObserver runs f for each way to observe, with and without a buffer. A
// goroutine that stays behind fails it.
func eachObserver(t *testing.T, f func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item)) {
	for name, observe := range observers {
		for buffer, option := range map[string]rxgo.Option{"": rxgo.WithBufferedChannel(0), ", buffered": rxgo.WithBufferedChannel(3)} {
			t.Run(name+buffer, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := script.Client(t, nil)
					f(t, p, func(opts ...rxgo.Option) <-chan rxgo.Item {
						return observe(p.Conn, append([]rxgo.Option{option}, opts...)...)
					})
				})
			})
		}
	}
}

// sendSingly lets n messages come, each alone.
func sendSingly(p *script.Peer, n int) {
	for range n {
		p.Sends(script.Text("a message"))
		time.Sleep(time.Second)
	}
}

func messagesIn(item rxgo.Item) int {
	if batch, ok := item.V.([]stream.Message); ok {
		return len(batch)
	}
	return 1
}

// isDone checks that an observer's channel is closed, after at most so many
// items.
func isDone(t *testing.T, items <-chan rxgo.Item, most int) {
	t.Helper()
	for n := 0; ; n++ {
		select {
		case _, ok := <-items:
			if ok && n < most {
				continue
			}
			if ok {
				t.Errorf("more than %d items came", most)
			}
		default:
			t.Error("the observer is not done")
		}
		return
	}
}

// An observer's context ends its subscription, though nothing is taken; the
// connection goes on.
func TestObserverLeaves(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		inner, cancel := context.WithCancel(t.Context())
		items := observe(rxgo.WithContext(inner))
		sendSingly(p, 10)
		cancel()
		synctest.Wait()
		isDone(t, items, 3)
		next := p.Conn.Chan(t.Context(), nil)
		p.Sends(script.Text("next"))
		time.Sleep(time.Minute)
		found := false
		for len(next.C) > 0 {
			m := <-next.C
			found = found || m.String() == "next"
		}
		if !found {
			t.Error("the connection does not go on")
		}
		p.End()
	})
}

// So it does after the connection's end.
func TestObserverLeavesAnEndedConnection(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		inner, cancel := context.WithCancel(t.Context())
		items := observe(rxgo.WithContext(inner))
		sendSingly(p, 10)
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		synctest.Wait()
		cancel()
		synctest.Wait()
		isDone(t, items, 3)
		p.End()
	})
}

// The error of the connection waits for an observer, or for the end of its
// context.
func TestErrorWaitsForTheObserver(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		inner, cancel := context.WithCancel(t.Context())
		taken, left := observe(rxgo.WithBufferedChannel(0)), observe(rxgo.WithBufferedChannel(0), rxgo.WithContext(inner))
		synctest.Wait()
		p.Cuts()
		time.Sleep(time.Hour)
		cancel()
		synctest.Wait()
		isDone(t, left, 0)
		isFailed(t, within(t, "the error", taken).E, io.EOF)
		synctest.Wait()
		isDone(t, taken, 0)
		p.End()
	})
}
