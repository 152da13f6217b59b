package heartbeat_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

var errOver = errors.New("the test is over")

// brisk is a heartbeat whose timeout is short beside what these tests wait.
func brisk() *heartbeat.Operator {
	return heartbeat.New(&heartbeat.Options{Interval: 5 * time.Second, Timeout: 15 * time.Second})
}

// pipe returns a client with the options and its server, which has none.
func pipe(t *testing.T, o *stream.Options) (client, server *stream.Conn) {
	t.Helper()
	near, far := net.Pipe()
	client, err := stream.New(near, stream.Client, o)
	if err != nil {
		t.Fatal(err)
	}
	server, err = stream.New(far, stream.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseNow(errOver)
		server.CloseNow(errOver)
		<-client.Done()
		<-server.Done()
	})
	return client, server
}

// connect returns a client with the heartbeat and its server, which reads all
// the time and so answers Pings at once.
func connect(t *testing.T, op *heartbeat.Operator) (client, server *stream.Conn) {
	t.Helper()
	client, server = pipe(t, operators(op))
	takeAll(server)
	return client, server
}

// streamOn sends messages without end.
func streamOn(c *stream.Conn) {
	m := stream.Message{Type: stream.Binary, Data: make([]byte, 10_000)}
	go func() { // until the connection ends
		for c.Send(context.Background(), m) == nil {
		}
	}()
}

// wantAlive checks that the connection lives.
func wantAlive(t *testing.T, c *stream.Conn) {
	t.Helper()
	select {
	case <-c.Done():
		_, err := c.Result().Wait(t.Context())
		t.Fatalf("the connection ended: %v", err)
	default:
	}
}

func TestPauseDoesNotTripIt(t *testing.T) {
	bubble(t, "peer at rest", func(t *testing.T) {
		client, _ := connect(t, brisk())
		takeAll(client)
		resume := client.Pause()
		time.Sleep(10 * time.Minute)
		wantAlive(t, client)
		if n := state(t, client).RTT().Count; n < 100 {
			t.Errorf("%d Pings were answered during ten minutes of pause", n)
		}
		resume()
		time.Sleep(10 * time.Minute)
		wantAlive(t, client)
	})
	bubble(t, "peer streams", func(t *testing.T) {
		client, server := connect(t, brisk())
		takeAll(client)
		resume := client.Pause()
		streamOn(server)
		time.Sleep(10 * time.Minute)
		wantAlive(t, client)
		server.CloseNow(errOver)
		resume()
		<-client.Done()
	})
}

// TestSleepingConsumerDoesNotTripIt has a server that streams without end
// against a consumer that sleeps for longer than the timeout, again and again.
func TestSleepingConsumerDoesNotTripIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t, brisk())
		streamOn(server)
		taken := 0
		for _, err := range client.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if taken++; taken%500 == 0 {
				time.Sleep(time.Minute)
				wantAlive(t, client)
			}
			if taken == 5000 {
				break
			}
		}
		if taken != 5000 {
			t.Errorf("the stream ended after %d messages", taken)
		}
	})
}

// A peer that falls silent while the consumer is away is still dropped, where
// it is not this side that keeps from reading.
func TestSilentPeerOfSleepingConsumerIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := script.Client(t, operators(brisk()))
		p.Sends(script.Text("one"))
		whileAway(t, p.Conn, func() {
			wantDrop(t, p.Conn, start, 15*time.Second, "heartbeat: waited 15s for a Pong (Pings sent: 2)")
		})
	})
}

// wantPong checks that a Ping of the peer is answered within the time.
func wantPong(t *testing.T, p *script.Peer, within time.Duration) {
	t.Helper()
	start := time.Now()
	p.Sends(script.Ping("alive?"))
	p.Wants("the answer to a Ping", script.Pong("alive?"))
	if took := time.Since(start); took > within {
		t.Errorf("the answer took %v, want %v at most", took, within)
	}
}

func TestPingsOfThePeer(t *testing.T) {
	bubble(t, "consumer waits", func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		wantPong(t, p, 0)
	})
	bubble(t, "consumer away", func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		p.Sends(script.Text("one"))
		whileAway(t, p.Conn, func() {
			for range 5 {
				wantPong(t, p, time.Second)
			}
		})
	})
	bubble(t, "several, and the latest of many", func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		p.Sends(script.Text("one"))
		whileAway(t, p.Conn, func() {
			p.StopsReading()
			p.Sends(script.Ping("a"))
			time.Sleep(time.Second) // its answer is on the way, and stands still
			p.Sends(script.Ping("b"), script.Ping("c"))
			for n := range 1000 {
				p.Sends(script.Ping(strconv.Itoa(n)))
			}
			time.Sleep(time.Second)
			p.ReadsOn()
			for _, ping := range []string{"a", "b", "c"} {
				p.Wants("the answers to the first Pings", script.Pong(ping))
			}
			answers, last := 0, ""
			for ; last != "999"; answers++ {
				last = string(p.Next("an answer to the latest of those that waited").Payload)
			}
			if answers > 300 {
				t.Errorf("%d of 1000 Pings that waited were answered, want a few and the latest", answers)
			}
		})
	})
	bubble(t, "pause held", func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		defer p.Conn.Pause()()
		p.Sends(script.Text("one"), script.Text("two"))
		for range 5 {
			wantPong(t, p, 0)
		}
	})
	bubble(t, "subscriber full", func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		sub := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
		defer sub.Cancel()
		for range 5 {
			p.Sends(script.Text("one"), script.Text("two"))
			wantPong(t, p, time.Second)
		}
	})
}

// TestPingsBetweenFragments shows that Pings are answered between the
// fragments of a large message, whose receiver is slow.
func TestPingsBetweenFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := script.Client(t, operators(heartbeat.New(nil)))
		takeAll(p.Conn)
		message := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
		p.Reads(200 << 10)
		go p.Conn.SendBinary(t.Context(), message) // until the script has read it
		synctest.Wait()
		p.Sends(script.Ping("alive?"))
		synctest.Wait()
		p.ReadsOn()
		var before, after int
		for left := &before; ; {
			f := p.Next("a large message, and a Pong within")
			*left += len(f.Payload)
			if f.Opcode == script.OpPong {
				*left -= len(f.Payload)
				left = &after
			}
			if f.Fin && f.Opcode == script.OpContinuation {
				break
			}
		}
		if after == 0 || before+after != len(message) {
			t.Errorf("%d bytes came before the Pong, %d after it", before, after)
		}
	})
}
