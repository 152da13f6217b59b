package main

import (
	"errors"
	"time"
)

// A tally counts messages and bounds a measurement in time: a warm-up, then
// the window that counts. One goroutine may use it at a time.
type tally struct {
	warmUp, window time.Duration

	messages int
	touched  byte

	look   int       // the number of messages at which the clock is read next
	stride int       // messages between two looks at the clock
	looked time.Time // the last look
	first  time.Time // when the first message came
	begin  mark
	end    mark
}

// A mark is one edge of the window.
type mark struct {
	when     time.Time
	cpu      time.Duration
	messages int
}

func newTally(window time.Duration) *tally {
	return &tally{warmUp: window / 5, window: window, stride: 1}
}

// take counts a message that was received, or sent, touching its length and
// its first byte. It reports whether there should be another.
func (t *tally) take(message []byte) bool {
	t.messages++
	t.touched += message[0]
	return t.messages < t.look || t.watch()
}

// counting reports whether the window has begun and not ended.
func (t *tally) counting() bool { return !t.begin.when.IsZero() && t.end.when.IsZero() }

// watch looks at the clock. It is called often enough that the window's edges
// are sharp to about a thousandth, and seldom enough to cost nothing.
func (t *tally) watch() bool {
	now := time.Now()
	switch {
	case !t.end.when.IsZero():
		return false
	case t.first.IsZero():
		t.first = now
	case t.begin.when.IsZero():
		if now.Sub(t.first) >= t.warmUp {
			t.begin = t.mark(now)
		}
	case now.Sub(t.begin.when) >= t.window:
		t.end = t.mark(now)
		return false
	}
	t.pace(now)
	return true
}

func (t *tally) mark(now time.Time) mark {
	return mark{when: now, cpu: cpuTime(), messages: t.messages}
}

// pace keeps the looks at the clock about a thousandth of the window apart.
func (t *tally) pace(now time.Time) {
	gap := now.Sub(t.looked)
	if gap < t.window/2000 {
		t.stride *= 2
	} else if gap > t.window/500 && t.stride > 1 {
		t.stride /= 2
	}
	t.looked = now
	t.look = t.messages + t.stride
}

// sample is what the window saw.
func (t *tally) sample() (sample, error) {
	n := float64(t.end.messages - t.begin.messages)
	if t.end.when.IsZero() || n == 0 {
		return sample{}, errors.New("bench: the connection ended before the measurement did")
	}
	return sample{
		Rate: n / t.end.when.Sub(t.begin.when).Seconds(),
		CPU:  float64(t.end.cpu-t.begin.cpu) / n,
	}, nil
}
