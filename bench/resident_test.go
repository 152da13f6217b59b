package main

import (
	"runtime"
	"testing"
)

func TestResident(t *testing.T) {
	now, peak := residentNow(), residentPeak()
	if runtime.GOOS == "linux" && now < 1<<20 || peak < now {
		t.Errorf("%d bytes are resident, %d at the most", now, peak)
	}
}
