package redial

import (
	"testing"
	"time"
)

// So many events pass at once, then one each second; an event that passes tells how
// many did not.
func TestLimiter(t *testing.T) {
	l := limiter{burst: 3, every: time.Second}
	now := epoch0
	want := func(at time.Duration, wantSkipped uint64, wantOK bool) {
		t.Helper()
		if skipped, ok := l.pass(now.Add(at)); skipped != wantSkipped || ok != wantOK {
			t.Errorf("at %v: %d, %v; want %d, %v", at, skipped, ok, wantSkipped, wantOK)
		}
	}
	want(0, 0, true)
	want(0, 0, true)
	want(0, 0, true)
	want(0, 0, false)
	want(999*time.Millisecond, 0, false)
	want(1500*time.Millisecond, 2, true)
	want(1500*time.Millisecond, 0, false)
	want(2*time.Second, 1, true)
	want(time.Hour, 0, true)
	want(time.Hour, 0, true)
	want(time.Hour, 0, true)
	want(time.Hour, 0, false)
	want(0, 1, true) // another clock
}

// However many come, no more than the burst and one a second pass.
func TestLimiterHolds(t *testing.T) {
	l := limiter{burst: 10, every: time.Second}
	passed, told := 0, uint64(0)
	const seconds, each = 60, 1000
	for i := range seconds * each {
		if skipped, ok := l.pass(epoch0.Add(time.Duration(i) * time.Second / each)); ok {
			passed++
			told += skipped
		}
	}
	if passed != 10+seconds-1 {
		t.Errorf("%d lines passed in %d s", passed, seconds)
	}
	if told+l.skipped+uint64(passed) != seconds*each {
		t.Errorf("of %d lines %d passed, and %d were told of", seconds*each, passed, told+l.skipped)
	}
}
