//go:build !386

package heartbeat_test

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/stream"
)

// small makes sockets that hold little and have short segments, so that what is
// acknowledged grows in small steps, as it does on a slow link.
func small(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10)
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 128<<10)
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, 1000)
	})
}

// A slowLink carries some bytes for each tick from the client to the server, and
// anything back. A machine that is busy makes it no slower: it makes up for ticks that
// it missed.
type slowLink struct {
	net.Listener
	bytes int64
	tick  time.Duration
}

func (l *slowLink) forward(addr string) error {
	near, err := l.Accept()
	if err != nil {
		return err
	}
	defer near.Close()
	far, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer far.Close()
	var back sync.WaitGroup
	back.Go(func() { // until either end is cut
		io.Copy(near, far)
		near.Close()
	})
	ticks := time.NewTicker(l.tick)
	defer ticks.Stop()
	for last := time.Now(); err == nil; {
		<-ticks.C
		now := time.Now()
		_, err = io.CopyN(far, near, l.bytes*max(1, int64(now.Sub(last)/l.tick)))
		last = now
	}
	far.Close()
	back.Wait()
	return nil
}

// TestSlowUpload sends several times as much as the link carries within the
// timeout. The Pings wait for longer than that, in this side's buffers.
func TestSlowUpload(t *testing.T) {
	listen := net.ListenConfig{Control: small}
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	link := &slowLink{Listener: l, bytes: 2 << 10, tick: 10 * time.Millisecond} // 200 KB/s
	back := newListener(t)
	var running sync.WaitGroup
	running.Go(func() { // until both ends are cut
		if err := link.forward(back.Addr().String()); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	dialer := net.Dialer{Control: small}
	near, err := dialer.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := back.Accept()
	if err != nil {
		t.Fatal(err)
	}
	beat := heartbeat.New(&heartbeat.Options{Interval: 200 * time.Millisecond, Timeout: 800 * time.Millisecond})
	client, err := stream.New(near, stream.Client, operators(beat))
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseNow(errOver)
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer server.CloseNow(errOver)
	beats := make(chan heartbeat.RTT, 1000)
	state(t, client).OnRTT(func(r heartbeat.RTT) { beats <- r })
	takeAll(client)
	go func() { // until the messages are sent, or the connection ends
		for range 6 {
			client.SendBinary(context.Background(), make([]byte, 100_000))
		}
	}()
	taken := 0
	for range server.All(t.Context()) {
		wantAlive(t, client)
		if taken++; taken == 6 {
			break
		}
	}
	wantAlive(t, client)
	select {
	case rtt := <-beats:
		if rtt.Last < 800*time.Millisecond {
			t.Errorf("the first Ping took %v: it did not wait for longer than the timeout", rtt.Last)
		}
	case <-client.Done():
		wantAlive(t, client)
	}
}
