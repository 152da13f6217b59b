//go:build linux || darwin

package main

import (
	"strings"
	"syscall"
	"testing"
)

// What this process raises, it and those that it starts have.
func TestRaiseDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) })
	low := syscall.Rlimit{Cur: 200, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		connections int
		want        uint64
	}{{50, 200}, {400, 500}} {
		if err := raiseDescriptors(c.connections); err != nil {
			t.Fatal(err)
		}
		var now syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
			t.Fatal(err)
		}
		if now.Cur != c.want || now.Max != limit.Max {
			t.Errorf("for %d connections the limit is %+v; want %d of %d", c.connections, now, c.want, limit.Max)
		}
	}
	if err := raiseDescriptors(1 << 40); err == nil || !strings.Contains(err.Error(), "1099511627876 descriptors") {
		t.Errorf("an impossible number gives %v", err)
	}
}
