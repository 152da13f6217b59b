package main

import (
	"errors"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// startOn starts a process that stays on one core: the first of those that this
// one may use, or the last. A child has the cores of the thread that starts it.
func startOn(cmd *exec.Cmd, on core) (err error) {
	if on == anyCore {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	for i, left := 0, all.Count(); left > 0; i++ {
		if !all.IsSet(i) {
			continue
		}
		left--
		if on == firstCore || left == 0 {
			one.Set(i)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.SchedSetaffinity(0, &all)) }()
	return cmd.Start()
}
