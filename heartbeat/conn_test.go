package heartbeat_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// bubble runs a subtest in a bubble of its own, where waiting costs no time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func operators(ops ...stream.Operator) *stream.Options {
	return &stream.Options{Operators: ops}
}

// takeAll ranges over the messages until the connection ends.
func takeAll(c *stream.Conn) {
	go func() { // until the connection ends
		for range c.All(context.Background()) {
		}
	}()
}

// answers sends the Pong to each of the next n Pings and returns when they
// came, since start.
func answers(p *script.Peer, n int, start time.Time) (at []time.Duration) {
	for range n {
		ping := p.Next("a Ping of the heartbeat")
		at = append(at, time.Since(start))
		p.Sends(script.Pong(ping.Payload))
	}
	return at
}

// wantDrop waits for the connection's end and checks when and how it came.
func wantDrop(t *testing.T, c *stream.Conn, start time.Time, after time.Duration, message string) {
	t.Helper()
	status, err := c.Result().Wait(t.Context())
	if got := time.Since(start); got != after {
		t.Errorf("dropped after %v, want %v", got, after)
	}
	if want := (result.Status{Code: result.StatusAbnormalClosure, Err: status.Err}); status != want {
		type fields result.Status
		t.Errorf("ended with %+v, want %+v", fields(status), fields(want))
	}
	var failed *result.ConnectionFailed
	if !errors.As(err, &failed) || failed.Err.Error() != message {
		t.Fatalf("error %v, want a *result.ConnectionFailed around %q", err, message)
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("error %v is no timeout", err)
	}
}

func TestPings(t *testing.T) {
	for _, role := range []stream.Role{stream.Client, stream.Server} {
		bubble(t, map[stream.Role]string{stream.Client: "client", stream.Server: "server"}[role], func(t *testing.T) {
			start := time.Now()
			p := script.Start(t, role, operators(heartbeat.New(nil)), nil)
			takeAll(p.Conn)
			for n, at := range answers(p, 10, start) {
				if want := time.Duration(n+1) * 30 * time.Second; at != want {
					t.Errorf("Ping %d came after %v, want %v", n, at, want)
				}
			}
			time.Sleep(time.Second)
			p.WantsSilence("between two Pings")
		})
	}
}

// A wakes counts the calls of an operator's Timer.
type wakes struct {
	stream.Operator
	n atomic.Int64
}

func (w *wakes) Attach(l *stream.Link) (stream.Hooks, error) {
	hooks, err := w.Operator.Attach(l)
	timer := hooks.Timer
	hooks.Timer = func(now time.Time) (time.Duration, error) {
		w.n.Add(1)
		return timer(now)
	}
	return hooks, err
}

func TestWakesOnceAnInterval(t *testing.T) {
	for _, anyFrame := range []bool{false, true} {
		bubble(t, map[bool]string{false: "pong", true: "any frame"}[anyFrame], func(t *testing.T) {
			w := &wakes{Operator: heartbeat.New(&heartbeat.Options{AnyFrame: anyFrame})}
			p := script.Client(t, operators(w))
			takeAll(p.Conn)
			synctest.Wait()
			before := w.n.Load()
			for range 10 {
				ping := p.Next("a Ping of the heartbeat")
				time.Sleep(50 * time.Millisecond)
				p.Sends(script.Pong(ping.Payload))
			}
			synctest.Wait()
			if n := w.n.Load() - before; n != 10 {
				t.Errorf("an idle connection woke %d times in ten intervals", n)
			}
		})
	}
}

// TestNoGoroutine compares connections with a heartbeat and without, after some
// Pings.
func TestNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const connections = 20
		var grown [2]int
		for i, o := range []*stream.Options{nil, operators(heartbeat.New(nil))} {
			before := runtime.NumGoroutine()
			for range connections {
				client, server := pipe(t, o)
				takeAll(client)
				takeAll(server)
			}
			time.Sleep(100 * time.Second)
			synctest.Wait()
			grown[i] = runtime.NumGoroutine() - before
		}
		if more := grown[1] - grown[0]; more >= connections {
			t.Errorf("%d heartbeats cost %d goroutines", connections, more)
		}
	})
}

func TestSilentPeerIsDropped(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  *heartbeat.Options
		after time.Duration
		pings int
		want  string
	}{
		{"defaults", nil, 4*time.Minute + 59*time.Second, 9, "heartbeat: waited 4m59s for a Pong (Pings sent: 9)"},
		{"any frame", &heartbeat.Options{AnyFrame: true}, 4*time.Minute + 59*time.Second, 9, "heartbeat: waited 4m59s for any frame (Pings sent: 9)"},
		{"a long interval", &heartbeat.Options{Interval: 40 * time.Second}, 400 * time.Second, 9, "heartbeat: waited 6m40s for a Pong (Pings sent: 9)"},
		{"a short timeout", &heartbeat.Options{Interval: 3 * time.Second, Timeout: 4 * time.Second}, 4 * time.Second, 1, "heartbeat: waited 4s for a Pong (Pings sent: 1)"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			start := time.Now()
			p := script.Client(t, operators(heartbeat.New(c.opts)))
			takeAll(p.Conn)
			for range c.pings {
				if f := p.Next("a Ping"); f.Opcode != script.OpPing {
					t.Fatalf("%v came, not a Ping", f)
				}
			}
			wantDrop(t, p.Conn, start, c.after, c.want)
			p.WantsEOF() // no Close with 1006 or any other code
		})
	}
}

func TestPeerThatFallsSilentIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := script.Client(t, operators(heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: 25 * time.Second})))
		takeAll(p.Conn)
		answers(p, 3, start)
		wantDrop(t, p.Conn, start, 55*time.Second, "heartbeat: waited 25s for a Pong (Pings sent: 2)")
	})
}

// chatter makes the peer send a message each second, and unsolicited Pongs,
// until the test ends.
func chatter(t *testing.T, p *script.Peer) {
	done := t.Context().Done()
	go func() { // until the test ends
		for {
			select {
			case <-time.After(time.Second):
				p.Sends(script.Text("tick"), script.Pong("unsolicited"))
			case <-done:
				return
			}
		}
	}()
}

func TestBusyPeerWithoutPongs(t *testing.T) {
	bubble(t, "is dropped", func(t *testing.T) {
		start := time.Now()
		p := script.Client(t, operators(heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: 35 * time.Second})))
		takeAll(p.Conn)
		chatter(t, p)
		wantDrop(t, p.Conn, start, 35*time.Second, "heartbeat: waited 35s for a Pong (Pings sent: 3); other frames came: heartbeat.Options.AnyFrame lets them count")
	})
	bubble(t, "lives where any frame counts", func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: 35 * time.Second, AnyFrame: true})))
		takeAll(p.Conn)
		chatter(t, p)
		time.Sleep(time.Hour)
		p.WantsSilence("a peer that is heard of is not asked")
	})
}

// TestOtherPings shows a peer that answers only the latest Ping, where another
// operator pings right after the heartbeat.
func TestOtherPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: 35 * time.Second})))
		takeAll(p.Conn)
		calls := uint64(0)
		state(t, p.Conn).OnRTT(func(heartbeat.RTT) { calls++ })
		p.Next("the Ping that is left without an answer")
		p.Sends(script.Pong("to another operator's Ping"))
		for range 10 {
			f := p.Next("a Ping of the heartbeat")
			p.Sends(script.Pong(f.Payload))
		}
		synctest.Wait()
		if n := state(t, p.Conn).RTT().Count; n != 10 || calls != 10 {
			t.Errorf("%d answers were measured, %d told, want all ten", n, calls)
		}
	})
}

// TestPingIsNoAnswer has a peer that sends our payload back in a Ping.
func TestPingIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		f := p.Next("a Ping of the heartbeat")
		p.Sends(script.Ping(f.Payload))
		p.Wants("the answer to the peer's Ping", script.Pong(f.Payload))
		if n := state(t, p.Conn).RTT().Count; n != 0 {
			t.Errorf("%d answers were measured", n)
		}
	})
}

// A flooder is an operator that queues as many Pings as the connection takes,
// never at the moment at which the heartbeat wakes.
type flooder struct{}

func (flooder) Attach(l *stream.Link) (stream.Hooks, error) {
	return stream.Hooks{Timer: func(time.Time) (time.Duration, error) {
		for l.Control(stream.Ping, make([]byte, 100)) == nil {
		}
		return 1001 * time.Millisecond, nil
	}}, nil
}

// TestPeerThatTakesNothing has no room for a Ping among the control frames that
// wait. The heartbeat tries again, and the timeout counts.
func TestPeerThatTakesNothing(t *testing.T) {
	beat := heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: 35 * time.Second})
	bubble(t, "for a while", func(t *testing.T) {
		p := script.Client(t, operators(beat, flooder{}))
		takeAll(p.Conn)
		p.StopsReading()
		time.Sleep(25 * time.Second)
		p.ReadsOn()
		for {
			f := p.Next("a Ping of the heartbeat among the others")
			if len(f.Payload) == 8 {
				p.Sends(script.Pong(f.Payload))
				break
			}
		}
		time.Sleep(20 * time.Second)
		wantAlive(t, p.Conn)
	})
	bubble(t, "any more", func(t *testing.T) {
		start := time.Now()
		p := script.Client(t, operators(beat, flooder{}))
		takeAll(p.Conn)
		p.StopsReading()
		wantDrop(t, p.Conn, start, 35*time.Second, "heartbeat: waited 35s for a Pong (Pings sent: 3)")
	})
}

// TestNoPingAfterClose has a peer that takes longer than the timeout to answer
// our Close: the closing handshake has a deadline of its own.
func TestNoPingAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := operators(heartbeat.New(&heartbeat.Options{Interval: time.Second, Timeout: 5 * time.Second}))
		o.CloseTimeout = time.Minute
		p := script.Client(t, o)
		takeAll(p.Conn)
		if err := p.Conn.Close(result.StatusNormalClosure, ""); err != nil {
			t.Fatal(err)
		}
		p.WantsClose(1000)
		time.Sleep(30 * time.Second)
		p.WantsSilence("after our Close")
		p.Sends(script.Close(1000, ""))
		if _, err := p.Conn.Result().Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
