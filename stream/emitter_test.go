package stream_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// An observer that takes nothing is given up ten minutes after the connection's
// end, and not before. It is told how much it lost.
func TestObserverIsGivenUp(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		items := observe()
		sendSingly(p, 10)
		time.Sleep(time.Hour)
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		time.Sleep(9 * time.Minute)
		n := messagesIn(within(t, "the first item", items))
		time.Sleep(12 * time.Minute)
		isGivenUp(t, items, n, 10)
		p.End()
	})
}

// isGivenUp checks that an observer that has taken some of so many messages gets
// an error item, behind what rxgo's channel had taken, that counts the others.
func isGivenUp(t *testing.T, items <-chan rxgo.Item, taken, sent int) {
	t.Helper()
	var err error
	for item := range items {
		if err != nil {
			t.Fatalf("%v follows the error", item)
		}
		if err = item.E; err == nil {
			taken += messagesIn(item)
		}
	}
	want := fmt.Sprintf("%d messages are lost", sent-taken)
	if taken == sent || !errors.Is(err, stream.ErrSlow) || !strings.Contains(err.Error(), want) {
		t.Errorf("%d of %d messages came, then %v, want %q", taken, sent, err, want)
	}
}

// SubscribeOptions.Timeout takes the place of the ten minutes. An error of the
// connection is told as well.
func TestObserverIsGivenUpAtItsDeadline(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		items := p.Conn.Observable(&stream.SubscribeOptions{Timeout: time.Minute}).Observe(rxgo.WithBufferedChannel(1))
		synctest.Wait()
		p.Sends(manyFrames(10)...)
		p.Cuts()
		<-p.Conn.Done()
		time.Sleep(55 * time.Second)
		n := messagesIn(within(t, "the first item", items))
		time.Sleep(2 * time.Minute)
		n += messagesIn(within(t, "the item in rxgo's channel", items))
		err := within(t, "the error", items).E
		want := fmt.Sprintf("%d messages are lost", 10-n)
		if _, open := <-items; open || !errors.Is(err, stream.ErrSlow) || !strings.Contains(err.Error(), want) {
			t.Errorf("the last item is %v, want %q", err, want)
		}
		isFailed(t, err, io.EOF)
		p.End()
	})
}

// A stream of jobs that take a while each is taken to its end.
func TestObserverOfLongJobs(t *testing.T) {
	eachObserver(t, func(t *testing.T, p *script.Peer, observe func(...rxgo.Option) <-chan rxgo.Item) {
		items := observe()
		sendSingly(p, 10)
		p.Sends(script.Close(1000, ""))
		n := 0
		for item := range items {
			if item.E != nil {
				t.Errorf("an item is %v", item.E)
			}
			time.Sleep(9 * time.Minute)
			n += messagesIn(item)
		}
		if n != 10 {
			t.Errorf("%d messages came, want 10", n)
		}
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
		stalled := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
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
