package heartbeat_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

const ms = time.Millisecond

// answersAfter answers the next Pings, each after so long.
func answersAfter(p *script.Peer, delays ...time.Duration) {
	for _, d := range delays {
		ping := p.Next("a Ping of the heartbeat")
		time.Sleep(d)
		p.Sends(script.Pong(ping.Payload))
		synctest.Wait()
	}
}

func state(t *testing.T, c *stream.Conn) *heartbeat.State {
	t.Helper()
	s, ok := heartbeat.Of(c)
	if !ok {
		t.Fatal("the connection shows no heartbeat")
	}
	return s
}

func TestRTT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		s := state(t, p.Conn)
		if got := s.RTT(); got != (heartbeat.RTT{}) {
			t.Errorf("before the first answer: %+v", got)
		}
		answersAfter(p, 80*ms, 160*ms, 40*ms)
		want := heartbeat.RTT{Last: 40 * ms, Smoothed: 83750 * time.Microsecond, Min: 40 * ms, Max: 160 * ms, Count: 3}
		if got := s.RTT(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		p.End()
		if got := s.RTT(); got != want {
			t.Errorf("after the end: %+v, want %+v", got, want)
		}
	})
}

func TestOfNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, nil)
		if s, ok := heartbeat.Of(p.Conn); ok || s != nil {
			t.Errorf("a connection without a heartbeat shows %v, %t", s, ok)
		}
	})
}

func TestOnRTT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		s := state(t, p.Conn)
		var first, second, third []time.Duration
		stopFirst := s.OnRTT(func(r heartbeat.RTT) { first = append(first, r.Last) })
		stopSecond := s.OnRTT(func(r heartbeat.RTT) { second = append(second, r.Last) })
		answersAfter(p, 10*ms)
		stopFirst()
		stopFirst()
		s.OnRTT(func(r heartbeat.RTT) { third = append(third, r.Last) })
		answersAfter(p, 20*ms)
		stopSecond()
		answersAfter(p, 30*ms)
		if !slices.Equal(first, []time.Duration{10 * ms}) ||
			!slices.Equal(second, []time.Duration{10 * ms, 20 * ms}) ||
			!slices.Equal(third, []time.Duration{20 * ms, 30 * ms}) {
			t.Errorf("listeners got %v, %v and %v", first, second, third)
		}
	})
}

// A listener may stop itself, and add another.
func TestOnRTTFromInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		s := state(t, p.Conn)
		var got []string
		var stop func()
		stop = s.OnRTT(func(heartbeat.RTT) {
			stop()
			got = append(got, "once")
			s.OnRTT(func(heartbeat.RTT) { got = append(got, "inner") })
		})
		s.OnRTT(func(heartbeat.RTT) { got = append(got, "other") })
		answersAfter(p, ms, ms)
		if !slices.Equal(got, []string{"once", "other", "other", "inner"}) {
			t.Errorf("called: %v", got)
		}
	})
}

func TestObservable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		rtts := state(t, p.Conn).Observable()
		one := rtts.Observe()
		synctest.Wait()
		answersAfter(p, 10*ms)
		if r := (<-one).V.(heartbeat.RTT); r.Last != 10*ms {
			t.Errorf("the first item is %+v", r)
		}
		two := rtts.Observe()
		synctest.Wait()
		answersAfter(p, 20*ms)
		for name, items := range map[string]<-chan rxgo.Item{"first": one, "second": two} {
			if r := (<-items).V.(heartbeat.RTT); r.Last != 20*ms || r.Count != 2 {
				t.Errorf("the %s observer got %+v", name, r)
			}
		}
		p.Sends(script.Close(1001, "away"))
		p.WantsClose(1001)
		for name, items := range map[string]<-chan rxgo.Item{"first": one, "second": two} {
			if item, more := <-items; more {
				t.Errorf("the %s observer got %+v at the end", name, item)
			}
		}
	})
}

func TestSlowObserverGetsTheLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		items := state(t, p.Conn).Observable().Observe()
		synctest.Wait()
		answersAfter(p, 10*ms, 20*ms, 30*ms, 40*ms)
		var got []time.Duration
		for range 2 {
			got = append(got, (<-items).V.(heartbeat.RTT).Last)
		}
		if want := []time.Duration{10 * ms, 40 * ms}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestObserverGone has observers that go away: one without telling, and two
// whose context ends, while there is an item for them and while there is none.
// The bubble shows that nothing stays behind.
func TestObserverGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		rtts := state(t, p.Conn).Observable()
		silent := rtts.Take(1).Observe()
		ctx, cancel := context.WithCancel(t.Context())
		offered := rtts.Observe(rxgo.WithContext(ctx))
		synctest.Wait()
		answersAfter(p, 10*ms)
		waiting := rtts.Observe(rxgo.WithContext(ctx))
		synctest.Wait()
		if r := (<-silent).V.(heartbeat.RTT); r.Last != 10*ms {
			t.Errorf("got %+v", r)
		}
		cancel()
		synctest.Wait()
		for name, items := range map[string]<-chan rxgo.Item{"offered": offered, "waiting": waiting} {
			select {
			case item, more := <-items:
				if more {
					t.Errorf("%s: got %+v after the context had ended", name, item)
				}
			default:
				t.Errorf("%s: the stream goes on after the context has ended", name)
			}
		}
		answersAfter(p, 10*ms, 10*ms)
	})
}
