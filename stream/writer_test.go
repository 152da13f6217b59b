package stream_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// "What was accepted before, and what stands in the Sinks' channels, is sent
// first", however much it is.
func TestCloseEmptiesAFullSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 250
		p := script.Server(t, nil)
		p.StopsReading()
		sink := p.Conn.Sink(ctx, nil)
		defer close(sink)
		for range all {
			sink <- bin(make([]byte, 60<<10))
		}
		p.Conn.Close(1000, "")
		p.ReadsOn()
		n := 0
		for p.Next("a message or the Close").Opcode != script.OpClose {
			n++
		}
		if n != all {
			t.Errorf("%d messages were sent before the Close, want %d", n, all)
		}
	})
}

// Flush waits for all that stood in the Sinks' channels, however much it is.
func TestFlushEmptiesAFullSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c, err := stream.New(ours, stream.Server, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow(nil)
		sink := c.Sink(ctx, nil)
		defer close(sink)
		for range 250 {
			sink <- bin(make([]byte, 60<<10))
		}
		go io.Copy(io.Discard, theirs) // until it is closed
		if err := within(t, "Flush", flushed(c)); err != nil {
			t.Fatal(err)
		}
		if n := len(sink); n > 0 {
			t.Errorf("%d messages stand in the channel after Flush", n)
		}
	})
}

// A halfWriter takes the half of each write and reports no error.
type halfWriter struct{ net.Conn }

func (w halfWriter) Write(p []byte) (int, error) { return w.Conn.Write(p[:len(p)/2]) }

// "Write must return a non-nil error if it returns n < len(p)": where it does
// not, the connection fails rather than stand still.
func TestShortWriteEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go io.Copy(io.Discard, theirs) // until it is closed
		c, err := stream.New(halfWriter{ours}, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow(nil)
		c.SendText(ctx, "in two halves")
		within(t, "Flush", flushed(c))
		isFailed(t, status(t, c).Err, io.ErrShortWrite)
	})
}

// flushed returns a channel that gives Flush's error.
func flushed(c *stream.Conn) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Flush(ctx) }()
	return done
}

// A counter counts how often it is closed.
type counter struct {
	io.ReadWriteCloser
	closes *atomic.Int32
}

func (c counter) Close() error {
	c.closes.Add(1)
	return c.ReadWriteCloser.Close()
}

// "The behavior of Close after the first call is undefined", so the transport
// is closed once, in whatever way the connection ends.
func TestTransportIsClosedOnce(t *testing.T) {
	ends := map[string]func(p *script.Peer){
		"the peer closes": func(p *script.Peer) { p.Sends(script.Close(1000, "")) },
		"CloseNow":        func(p *script.Peer) { p.Conn.CloseNow(nil) },
		"a breach":        func(p *script.Peer) { p.Sends(script.Of(3, "")) },
		"a cut":           func(p *script.Peer) { p.Cuts() },
		"a Close that cannot be answered": func(p *script.Peer) {
			p.StopsReading()
			synctest.Wait()
			p.Sends(script.Close(1000, ""))
			p.Conn.SendBinary(ctx, nil)
		},
	}
	for name, end := range ends {
		for _, s := range sides {
			bubble(t, name+"/"+s.name, func(t *testing.T) {
				var closes atomic.Int32
				p := script.Start(t, s.role, nil, func(c net.Conn) io.ReadWriteCloser { return counter{c, &closes} })
				takeAll(p.Conn)
				end(p)
				synctest.Wait()
				p.Conn.CloseNow(nil)
				time.Sleep(time.Minute)
				p.Conn.CloseNow(nil)
				synctest.Wait()
				if n := closes.Load(); n != 1 {
					t.Errorf("the transport was closed %d times", n)
				}
			})
		}
	}
}

// deaf is a transport with deadlines that it cannot set.
type deaf struct{ net.Conn }

func (deaf) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// A transport whose deadlines do not work is as good as one without: a consumer
// that comes back gets at once what has come.
func TestDeadlinesThatDoNotWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Start(t, stream.Client, nil, func(c net.Conn) io.ReadWriteCloser { return deaf{c} })
		time.Sleep(2 * time.Second) // the look-ahead reads
		p.Sends(script.Text("now"))
		time.Sleep(time.Second)
		start := time.Now()
		defer time.AfterFunc(time.Hour, func() { p.Sends(script.Text("late")) }).Stop()
		m, err := firstOf(t, p.Conn.All(ctx))
		if waited := time.Since(start); waited > 0 || err != nil || m.String() != "now" {
			t.Errorf("All gives %q, %v after %v", m.Data, err, waited)
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if m, err := firstOf(t, p.Conn.All(short)); err != context.DeadlineExceeded {
			t.Errorf("All gives %q, %v", m.Data, err)
		}
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("the loop went on for %v, its context for a second", waited)
		}
	})
}
