package interop

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// The two ends of a cable.
const nearAddr, farAddr = "10.97.0.1", "10.97.0.2"

// TestCutNetwork cuts the network between two hosts. No socket ends by that: TCP
// sends again until it is answered, and only the heartbeat sees that nothing comes.
func TestCutNetwork(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  []string // what the server's host does
	}{
		{"the cable is pulled", []string{"link", "set", "far", "down"}},
		{"acknowledgements are lost", []string{"route", "replace", "blackhole", nearAddr + "/32"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine(t, time.Second)
			l.beats(t, 3)
			l.far.ip(t, c.cut...)
			cut := time.Now()
			if !within(t, l.client.Done()) {
				t.Fatal("nobody noticed")
			}
			_, err := l.client.Result().Wait(t.Context())
			var failed *result.ConnectionFailed
			if !errors.As(err, &failed) || !strings.HasPrefix(failed.Err.Error(), "heartbeat: waited ") {
				t.Errorf("the connection ended with %v, want silence", err)
			}
			took := time.Since(cut)
			l.server.CloseNow(nil) // it is told nothing
			t.Logf("ended %v after the cut; %d messages were sent, and %d came", took, <-l.sent, <-l.came)
		})
	}
}

// TestShortCut has a network that comes back before the heartbeat's timeout: the
// connection goes on, and nothing is lost.
func TestShortCut(t *testing.T) {
	l := newLine(t, patience)
	l.beats(t, 3)
	l.far.ip(t, "link", "set", "far", "down")
	<-time.After(10 * interval)
	l.far.ip(t, "link", "set", "far", "up")
	l.beats(t, 3)
	if err := l.client.Shutdown(t.Context(), result.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	if sent, came := <-l.sent, <-l.came; came != sent {
		t.Errorf("%d of %d messages came in order", came, sent)
	}
}

// interval is the heartbeat's.
const interval = 100 * time.Millisecond

// A line is a connection between two hosts, over which the client sends numbers,
// a hundred a second.
type line struct {
	far            *host
	client, server *stream.Conn
	rtts           chan heartbeat.RTT
	sent, came     chan int // how many messages, in order; when the connection has ended
}

func newLine(t *testing.T, timeout time.Duration) *line {
	near, far := newHost(t), newHost(t)
	near.ip(t, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", strconv.Itoa(far.thread))
	near.ip(t, "addr", "add", nearAddr+"/30", "dev", "near")
	near.ip(t, "link", "set", "near", "up")
	far.ip(t, "addr", "add", farAddr+"/30", "dev", "far")
	far.ip(t, "link", "set", "far", "up")

	l := &line{far: far, rtts: make(chan heartbeat.RTT, 1000), sent: make(chan int, 1), came: make(chan int, 1)}
	var listener net.Listener
	far.do(t, func() (err error) {
		listener, err = net.Listen("tcp", farAddr+":0")
		return err
	})
	defer listener.Close()
	var socket net.Conn
	near.do(t, func() (err error) {
		socket, err = net.Dial("tcp", listener.Addr().String())
		return err
	})
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	l.server = newConn(t, accepted, stream.Server, nil)
	go func() { l.came <- count(l.server) }() // until the connection ends
	beat := heartbeat.New(&heartbeat.Options{Interval: interval, Timeout: timeout})
	l.client = newConn(t, socket, stream.Client, []stream.Operator{beat})
	state, _ := heartbeat.Of(l.client)
	state.OnRTT(func(rtt heartbeat.RTT) { l.rtts <- rtt })
	l.client.Discard()
	go func() { l.sent <- send(l.client) }() // until the connection ends
	return l
}

func newConn(t *testing.T, socket net.Conn, role stream.Role, operators []stream.Operator) *stream.Conn {
	c, err := stream.New(socket, role, &stream.Options{Operators: operators})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil) })
	return c
}

// send sends numbers until the connection ends, and returns how many.
func send(c *stream.Conn) (n int) {
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for c.SendText(context.Background(), strconv.Itoa(n)) == nil {
		n++
		<-ticks.C
	}
	return n
}

// count returns how many numbers came in order before the connection ended.
func count(c *stream.Conn) (n int) {
	for m, err := range c.All(context.Background()) {
		if err != nil || string(m.Data) != strconv.Itoa(n) {
			return n
		}
		n++
	}
	return n
}

// beats waits for so many more Pongs.
func (l *line) beats(t *testing.T, n int) {
	t.Helper()
	for range n {
		if !within(t, l.rtts) {
			t.Fatal("no Pong comes")
		}
	}
}

// A host is a network namespace of this machine. It lives as long as its thread,
// which runs what is to see it.
type host struct {
	thread int
	calls  chan func()
}

// newHost makes a host without any device that is up.
func newHost(t *testing.T) *host {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		missing(t, err.Error())
	}
	h := &host{calls: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		h.thread = syscall.Gettid()
		made <- syscall.Unshare(syscall.CLONE_NEWNET)
		for f := range h.calls {
			f()
		}
	}()
	t.Cleanup(func() { close(h.calls) })
	if err := <-made; err != nil { // root may do it, but not in every container
		t.Skip("no network namespace can be made: ", err)
	}
	return h
}

// do runs f in the host.
func (h *host) do(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	h.calls <- func() { done <- f() }
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// ip runs ip(8) in the host.
func (h *host) ip(t *testing.T, arguments ...string) {
	t.Helper()
	h.do(t, func() error {
		out, err := exec.Command("ip", arguments...).CombinedOutput()
		if err != nil {
			t.Logf("ip %v: %s", arguments, out)
		}
		return err
	})
}
