package stream_test

import (
	"context"
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
		return c.Observable(&stream.Queue{Policy: stream.DropNewest}).Observe(opts...)
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

// An observer that takes nothing is given up a minute after the connection's
// end, and not before.
func TestObserverIsGivenUp(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		items := observe()
		sendSingly(p, 10)
		time.Sleep(time.Hour)
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		time.Sleep(50 * time.Second)
		if item, ok := <-items; !ok || item.Error() {
			t.Errorf("the first item is %v, %t", item, ok)
		}
		time.Sleep(2*time.Minute + time.Second)
		isDone(t, items, 4)
		p.End()
	})
}

// One that takes an item from time to time gets all of them.
func TestSlowObserverGetsAll(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		items := observe()
		sendSingly(p, 10)
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		n := 0
		for {
			time.Sleep(55 * time.Second)
			item, ok := <-items
			if !ok {
				break
			}
			n += messagesIn(item)
		}
		if n != 10 {
			t.Errorf("%d messages came, want 10", n)
		}
		p.End()
	})
}

// One that has taken all there is so far is not given up while another
// subscriber holds up the connection.
func TestObserverBesideAStalledSubscriber(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		resume := p.Conn.Pause()
		items := observe()
		synctest.Wait()
		stalled := p.Conn.Chan(t.Context(), &stream.Queue{Size: 1})
		resume()
		sendSingly(p, 10)
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		done := make(chan int)
		go func() {
			n := 0
			for item := range items {
				n += messagesIn(item)
			}
			done <- n
		}()
		time.Sleep(10 * time.Minute)
		for range stalled.C {
		}
		if n := <-done; n != 10 {
			t.Errorf("%d messages came, want 10", n)
		}
		p.End()
	})
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

// One that does not take the error item is given up as well.
func TestObserverIsGivenUpAtTheError(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		items := observe(rxgo.WithBufferedChannel(0))
		synctest.Wait()
		p.Cuts()
		<-p.Conn.Done()
		time.Sleep(time.Minute + time.Second)
		isDone(t, items, 1)
		p.End()
	})
}
