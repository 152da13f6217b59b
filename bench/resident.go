package main

import (
	"bytes"
	"os"
	"strconv"
)

// residentNow returns the bytes of this process that lie in memory, and
// residentPeak the most that ever did. Both are 0 where the system does not tell
// them in a file.
func residentNow() int64  { return status("VmRSS") }
func residentPeak() int64 { return status("VmHWM") }

// status returns a line of the process' status, which is in KiB, as bytes.
func status(key string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) != key {
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}
