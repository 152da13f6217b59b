// Package backoff says how long to wait before the next try.
package backoff

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// Wait draws the wait behind n failures in a row, of which err is the last. It is random,
// from 0 up to a bound, which is first for the first wait, doubles with each failure,
// and is never above most, which is no less than first. Where err says how long the
// server asks to wait, by a method RetryAfter, what is drawn comes on top of that.
func Wait(first, most time.Duration, n int, err error) time.Duration {
	drawn := rand.N(bound(first, most, n))
	asked := min(max(retryAfter(err), 0), math.MaxInt64-drawn)
	return asked + drawn
}

// bound returns how long the n-th wait may be, n from 1: first is doubled n-1 times,
// but not beyond most. An n below 1 counts as 1.
func bound(first, most time.Duration, n int) time.Duration {
	for ; n > 1 && first <= most/2; n-- {
		first *= 2
	}
	if n > 1 {
		return most
	}
	return first
}

// retryAfter returns how long the server asks to wait, 0 if it does not.
func retryAfter(err error) time.Duration {
	var answer interface{ RetryAfter() time.Duration }
	if errors.As(err, &answer) {
		return answer.RetryAfter()
	}
	return 0
}
