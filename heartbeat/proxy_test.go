package heartbeat_test

import (
	"errors"
	"io"
	"net"
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
	dead atomic.Bool
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
		running.Wait()
	})
	return client, server
}

// TestSilentNetwork has a network that stops to carry anything, without a FIN
// or RST. The bounds on the time are wide, as this is real time.
func TestSilentNetwork(t *testing.T) {
	const interval, timeout = 50 * time.Millisecond, 500 * time.Millisecond
	p := &proxy{Listener: newListener(t)}
	op := heartbeat.New(&heartbeat.Options{Interval: interval, Timeout: timeout})
	client, server := connectThrough(t, p, op)
	beats := make(chan heartbeat.RTT, 100)
	s, _ := heartbeat.Of(client)
	s.OnRTT(func(r heartbeat.RTT) { beats <- r })
	takeAll(client)
	takeAll(server)
	for range 3 {
		<-beats
	}
	p.dead.Store(true)
	silent := time.Now()
	_, err := client.Result().Wait(t.Context())
	took := time.Since(silent)
	var failed *result.ConnectionFailed
	if !errors.As(err, &failed) || errors.Is(err, io.EOF) {
		t.Fatalf("ended with %v, want a *result.ConnectionFailed that tells of silence", err)
	}
	var nerr net.Error
	if !errors.As(err, &nerr) || !nerr.Timeout() {
		t.Errorf("%v is no timeout", err)
	}
	if took < interval || took > timeout+10*time.Second {
		t.Errorf("dropped after %v of silence, with an interval of %v and a timeout of %v", took, interval, timeout)
	}
	t.Logf("dropped after %v: %v", took, err)
}
