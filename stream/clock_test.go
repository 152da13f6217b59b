package stream_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A sleeper is an operator whose Timer is to be called after a second, and then
// after a wait.
type sleeper struct {
	wait  time.Duration
	link  *stream.Link
	wakes int
}

func (s *sleeper) Attach(l *stream.Link) (stream.Hooks, error) {
	s.link = l
	return stream.Hooks{Timer: func(time.Time) (time.Duration, error) {
		switch s.wakes++; {
		case s.wakes == 1:
			return time.Second, nil
		case s.wakes < 100:
			return s.wait, nil
		}
		return 0, nil
	}}, nil
}

// Waits of any length are waits: they neither come at once nor keep others from
// being woken, whatever the clock shows.
func TestLongWaits(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, wait := range []time.Duration{math.MaxInt64, math.MaxInt64 / 2, 150 * year} {
		for _, passed := range []time.Duration{0, 30 * year, 200 * year} { // since the year 2000
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(passed)
				s := &sleeper{wait: wait}
				p := script.Client(t, &stream.Options{Operators: []stream.Operator{s}})
				time.Sleep(time.Minute)
				p.Sends(script.Text("message"))
				for range p.Conn.All(ctx) {
					answersSoon(t, p) // the look-ahead is woken
					break
				}
				if s.wakes != 2 {
					t.Errorf("a wait of %v, %v after the year 2000: %d wakes", wait, passed, s.wakes)
				}
				p.Conn.CloseNow(nil)
			})
		}
	}
}

// LastRead is one moment until something comes: at first the connection's start.
func TestLastRead(t *testing.T) {
	s := &sleeper{}
	before := time.Now()
	c, _, theirs := overSockets(t, &stream.Options{Operators: []stream.Operator{s}})
	first := s.link.LastRead()
	if first.Before(before) || first.After(time.Now()) {
		t.Errorf("LastRead is %v from the start", first.Sub(before))
	}
	for range 10_000 {
		if at := s.link.LastRead(); !at.Equal(first) {
			t.Fatalf("nothing came, and LastRead went by %v", at.Sub(first))
		}
	}
	theirs.Write([]byte{0x82, 1, 'a'})
	for range c.All(ctx) {
		break
	}
	if !s.link.LastRead().After(first) {
		t.Error("LastRead is as it was before the message")
	}
}
