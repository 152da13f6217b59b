package backoff

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// The bound of a wait doubles and stops at the most.
func TestBound(t *testing.T) {
	for _, test := range []struct {
		first, most time.Duration
		want        []time.Duration // for n from 1
	}{
		{1, 30, []time.Duration{1, 2, 4, 8, 16, 30, 30}},
		{1, 32, []time.Duration{1, 2, 4, 8, 16, 32, 32}},
		{5, 7, []time.Duration{5, 7, 7}},
		{7, 7, []time.Duration{7, 7}},
		{1, math.MaxInt64, []time.Duration{1, 2, 4}},
	} {
		for i, want := range test.want {
			if got := bound(test.first, test.most, i+1); got != want {
				t.Errorf("from %d to %d, the bound of wait %d is %d, want %d", test.first, test.most, i+1, got, want)
			}
		}
	}
	if got := bound(1, math.MaxInt64, math.MaxInt); got != math.MaxInt64 {
		t.Errorf("after ever so many failures the bound is %d", got)
	}
	if got := bound(5, 30, 0); got != 5 {
		t.Errorf("without a failure the bound is %d, want 5", got)
	}
}

// asking is a server's answer that says how long to wait.
type asking time.Duration

func (a asking) Error() string             { return "busy" }
func (a asking) RetryAfter() time.Duration { return time.Duration(a) }

// What is drawn comes on top of what the server asked for.
func TestWaitRetryAfter(t *testing.T) {
	for asked, want := range map[time.Duration][2]time.Duration{
		7 * time.Second: {7 * time.Second, 8 * time.Second},
		0:               {0, time.Second},
		-time.Hour:      {0, time.Second},
		math.MaxInt64:   {math.MaxInt64 - time.Second, math.MaxInt64},
	} {
		wait := Wait(time.Second, time.Second, 1, fmt.Errorf("answer: %w", asking(asked)))
		if wait < want[0] || wait > want[1] {
			t.Errorf("asked for %v it waits %v, want from %v to %v", asked, wait, want[0], want[1])
		}
	}
}
