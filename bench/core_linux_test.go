package main

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// A process that is told where to stay has that core alone, and this one still
// has all of its own.
func TestStartOn(t *testing.T) {
	cores := func(process int) (set unix.CPUSet) {
		t.Helper()
		if err := unix.SchedGetaffinity(process, &set); err != nil {
			t.Fatal(err)
		}
		return set
	}
	all := cores(0)
	first, last := -1, -1
	for i := range 64 * len(all) {
		if all.IsSet(i) {
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	for on, want := range map[core]int{firstCore: first, lastCore: last} {
		cmd := exec.Command("cat") // ends with its standard input
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := startOn(cmd, on); err != nil {
			t.Fatal(err)
		}
		got := cores(cmd.Process.Pid)
		in.Close()
		cmd.Wait()
		if got.Count() != 1 || !got.IsSet(want) {
			t.Errorf("core %d of %v: runs on %v; want %d alone", on, all, got, want)
		}
		if now := cores(0); now != all {
			t.Errorf("this process has %v afterwards; want %v", now, all)
		}
	}
}
