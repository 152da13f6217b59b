package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// The messages of the warm-up do not count, and those of the window do.
func TestTallyCountsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tally := newTally(time.Second)
		message := []byte("x")
		taken := 0
		for more := true; more; {
			gap := time.Millisecond
			if taken < 10 {
				gap = 20 * time.Millisecond // slow to begin with: 200 ms are a warm-up
			}
			time.Sleep(gap)
			more = tally.take(message)
			taken++
		}
		s, err := tally.sample()
		if err != nil {
			t.Fatal(err)
		}
		if s.Rate < 990 || s.Rate > 1010 {
			t.Errorf("rate is %v a second, and one came each millisecond", s.Rate)
		}
		if tally.take(message) {
			t.Error("asks for more after the window")
		}
		if again, _ := tally.sample(); again != s {
			t.Errorf("a late message changed %v to %v", s, again)
		}
	})
}

func TestTallyOfACutConnection(t *testing.T) {
	tally := newTally(time.Hour)
	tally.take([]byte("x"))
	if s, err := tally.sample(); err == nil {
		t.Errorf("a window without an end gave %v", s)
	}
}

// The clock is looked at about once a thousandth of the window, whatever the
// messages' rate.
func TestTallyPace(t *testing.T) {
	for _, gap := range []time.Duration{0, time.Microsecond, 50 * time.Microsecond, 10 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			tally := newTally(time.Second)
			for range 5000 {
				time.Sleep(gap)
				if !tally.take([]byte("x")) {
					break
				}
			}
			between := time.Duration(tally.stride) * gap
			if tally.stride > 1 && between > tally.window/250 || between < tally.window/2000 && tally.stride < 1000 {
				t.Errorf("with a message each %v looks at the clock every %d messages", gap, tally.stride)
			}
		})
	}
}
