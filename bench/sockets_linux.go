package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// receiveBuffer is what the kernel may keep for each connection of a fleet. By
// itself it lets that grow to several MiB over loopback, so that a thousand full
// ones use up what it has for TCP as a whole: it drops segments then, and all
// wait for retransmissions.
const receiveBuffer = 128 << 10

// boundReceiveBuffers applies to all sockets that this process has open. It needs
// nothing of the libraries to which they belong.
func boundReceiveBuffers() error {
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			return err
		}
		kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil || kind != unix.SOCK_STREAM {
			continue // a file, a pipe, or closed since
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer); err != nil {
			return err
		}
	}
	return nil
}
