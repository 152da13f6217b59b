package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// Only messages of the window count, each by its own age.
func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &delays{tally: newTally(time.Second)}
		message := make([]byte, 64)
		for i, more := 0, true; more; i++ {
			<-time.After(10 * time.Millisecond)
			late := time.Hour // in the warm-up of 200 ms
			if d.tally.counting() {
				late = time.Duration(i%100+1) * time.Microsecond
			}
			stamp(message, time.Now().Add(-late))
			more = d.take(message)
		}
		if len(d.all) != 100 {
			t.Errorf("%d messages of 10 ms each are in a window of a second", len(d.all))
		}
		if p50, p99 := d.quantile(0.5), d.quantile(0.99); p50 != 50e3 || p99 != 99e3 {
			t.Errorf("of 1 to 100 us half are within %v ns and 99 %% within %v", p50, p99)
		}
	})
	if none := (&delays{}).quantile(0.5); none != 0 {
		t.Errorf("no message is %v ns late", none)
	}
}
