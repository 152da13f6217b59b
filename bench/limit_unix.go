//go:build linux || darwin

package main

import (
	"fmt"
	"syscall"
)

// raiseDescriptors makes room for so many open connections in this process and
// in those that it starts. What is beyond the hard limit only root may have.
func raiseDescriptors(connections int) error {
	want := uint64(connections) + 100 // and what a process has open besides
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("bench: reading the limit of descriptors: %w", err)
	}
	raised := syscall.Rlimit{Cur: max(limit.Cur, want), Max: max(limit.Max, want)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		return fmt.Errorf("bench: %d connections need %d descriptors in a process; the hard limit (ulimit -Hn) is %d: %w",
			connections, want, limit.Max, err)
	}
	return nil
}
