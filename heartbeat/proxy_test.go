package heartbeat_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A proxy forwards one TCP connection, until it is told to forward nothing any
// more and to say nothing of it.
type proxy struct {
	net.Listener
	swallows bool // what comes when it is dead; otherwise it does not read it
	dead     atomic.Bool
	over     chan struct{} // closed when the test ends
}

func newListener(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// forward takes one connection and forwards it to addr, until both are closed.
func (p *proxy) forward(addr string) error {
	near, err := p.Accept()
	if err != nil {
		return err
	}
	defer near.Close()
	far, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { p.copy(near, far) })
	both.Go(func() { p.copy(far, near) })
	both.Wait()
	return nil
}

// copy copies until from ends. Then it closes to, unless the proxy is dead.
func (p *proxy) copy(to, from net.Conn) {
	buf := make([]byte, 1<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			break
		}
		if !p.dead.Load() {
			to.Write(buf[:n])
		} else if !p.swallows {
			<-p.over
			return
		}
	}
	if !p.dead.Load() {
		to.Close()
	}
}

// connectThrough returns a client whose connection runs through the proxy.
func connectThrough(t *testing.T, p *proxy, op stream.Operator) (client, server *stream.Conn) {
	t.Helper()
	back := newListener(t)
	var running sync.WaitGroup
	running.Go(func() { // until both ends are cut
		if err := p.forward(back.Addr().String()); err != nil {
			t.Error(err)
		}
	})
	near, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := back.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if client, err = stream.New(near, stream.Client, operators(op)); err != nil {
		t.Fatal(err)
	}
	if server, err = stream.New(far, stream.Server, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseNow(errOver)
		server.CloseNow(errOver)
		close(p.over)
		running.Wait()
	})
	return client, server
}

// wantSilence waits for a connection to end for its peer's silence.
func wantSilence(t *testing.T, c *stream.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := c.Result().Wait(ctx)
	var failed *result.ConnectionFailed
	if !errors.As(err, &failed) || !strings.HasPrefix(failed.Err.Error(), "heartbeat: waited ") {
		t.Fatalf("ended with %v, want a *result.ConnectionFailed that tells of silence", err)
	}
	var nerr net.Error
	if !errors.As(err, &nerr) || !nerr.Timeout() {
		t.Errorf("%v is no timeout", err)
	}
}

// TestSilentNetwork has a network that stops to carry anything, without a FIN
// or RST. The bounds on the time are wide, as this is real time.
func TestSilentNetwork(t *testing.T) {
	const interval, timeout = 50 * time.Millisecond, 500 * time.Millisecond
	for _, c := range []struct {
		name            string
		swallows, sends bool
	}{
		{"all is swallowed", true, false},
		{"all is swallowed, and much is sent", true, true},
		{"nothing is taken", false, false},
		{"nothing is taken, and much is sent", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &proxy{Listener: newListener(t), swallows: c.swallows, over: make(chan struct{})}
			op := heartbeat.New(&heartbeat.Options{Interval: interval, Timeout: timeout})
			client, server := connectThrough(t, p, op)
			beats := make(chan heartbeat.RTT, 1000)
			s, _ := heartbeat.Of(client)
			s.OnRTT(func(r heartbeat.RTT) { beats <- r })
			takeAll(client)
			takeAll(server)
			for range 3 {
				<-beats
			}
			if c.sends {
				streamOn(client)
			}
			p.dead.Store(true)
			silent := time.Now()
			wantSilence(t, client)
			if took := time.Since(silent); took < interval {
				t.Errorf("dropped after %v of silence, with an interval of %v and a timeout of %v", took, interval, timeout)
			}
		})
	}
}
