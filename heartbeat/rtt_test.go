package heartbeat_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

// The program's own Pings are none of the heartbeat's: it asks when it would have
// asked, measures nothing, and gives a peer up that answers the program's alone.
func TestProgramsPings(t *testing.T) {
	bubble(t, "answered alone", func(t *testing.T) {
		start := time.Now()
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		go func() { // until the connection ends
			for err := error(nil); err == nil; time.Sleep(7 * time.Second) {
				_, err = p.Conn.Ping(t.Context())
			}
		}()
		asked := 0
		for range 43 + 9 { // as many as there are in 299 s
			ping := p.Next("a Ping")
			if strings.HasPrefix(string(ping.Payload), "wsflow") {
				p.Sends(script.Pong(ping.Payload))
				continue
			}
			asked++
			if at, want := time.Since(start), time.Duration(asked)*30*time.Second; at != want {
				t.Errorf("Ping %d of the heartbeat came after %v, want %v", asked, at, want)
			}
		}
		if n := state(t, p.Conn).RTT().Count; n > 0 {
			t.Errorf("%d Pongs were measured", n)
		}
		wantDrop(t, p.Conn, start, 299*time.Second,
			"heartbeat: waited 4m59s for a Pong (Pings sent: 9); other frames came: heartbeat.Options.AnyFrame lets them count")
		time.Sleep(14 * time.Second) // the one who pings has heard of it
	})
}
