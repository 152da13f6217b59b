//go:build unix

package stream_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// What ends a plain socket is told as net.Conn tells it, whether it came before
// the first read or while that waited.
func TestSocketErrors(t *testing.T) {
	reset := func(_, theirs net.Conn) {
		theirs.(*net.TCPConn).SetLinger(0)
		theirs.Close()
	}
	closed := func(ours, _ net.Conn) { ours.Close() }
	tests := map[string]struct {
		end  func(ours, theirs net.Conn)
		want error
	}{
		"reset by the peer":   {reset, syscall.ECONNRESET},
		"closed by ourselves": {closed, net.ErrClosed},
	}
	for name, test := range tests {
		for _, waiting := range []bool{false, true} {
			ours, theirs := sockets(t)
			c, err := stream.New(ours, stream.Client, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow(nil)
			if waiting {
				theirs.Write([]byte{0x82, 1, 'a'})
			} else {
				test.end(ours, theirs)
				polled(t)
			}
			var last error
			for _, last = range c.All(ctx) {
				if last == nil {
					go test.end(ours, theirs)
				}
			}
			var op *net.OpError
			if !errors.Is(last, test.want) || !errors.As(last, &op) || op.Op != "read" {
				t.Errorf("%s, waiting %v: %v (%T)", name, waiting, last, last)
			}
		}
	}
}

// The end of a socket that had data to the last is noticed by whoever reads, also
// by the look-ahead during a pause.
func TestEndBehindData(t *testing.T) {
	for _, paused := range []bool{false, true} {
		ours, theirs := sockets(t)
		theirs.Write([]byte{0x82, 1, 'a'})
		theirs.(*net.TCPConn).CloseWrite()
		polled(t)
		c, err := stream.New(ours, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow(nil)
		if paused {
			defer c.Pause()()
		}
		go func() {
			for range c.All(ctx) {
			}
		}()
		select {
		case <-c.Done():
		case <-time.After(10 * time.Second):
			t.Errorf("paused %v: no end", paused)
		}
	}
}
