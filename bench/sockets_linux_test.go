package main

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBoundReceiveBuffers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := boundReceiveBuffers(); err != nil {
		t.Fatal(err)
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		// The kernel doubles what it is told.
		got, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		if err != nil || got != 2*receiveBuffer {
			t.Errorf("the receive buffer is %d bytes, %v; want %d", got, err, 2*receiveBuffer)
		}
	})
}
