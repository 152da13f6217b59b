//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuTime returns the user and system time that this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // only bad arguments fail
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
