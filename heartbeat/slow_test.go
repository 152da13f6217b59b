package heartbeat_test

import (
	"context"
	"testing"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// answersAll answers each Ping at once, behind all that was sent before, until
// the connection ends.
func answersAll(p *script.Peer, pings int) {
	go func() {
		for range pings {
			p.Sends(script.Pong(p.Next("a Ping of the heartbeat").Payload))
		}
	}()
}

// TestSlowConsumer has consumers that take 10 MB much slower than the timeout is
// long, from a peer that answers each Ping behind what it has sent before. Then
// the connection is idle, and its peer falls silent at last.
func TestSlowConsumer(t *testing.T) {
	const pieces, size = 1000, 10_000
	const needs = 30 * time.Millisecond
	for _, c := range []struct {
		name string
		take func(c *stream.Conn)
	}{
		{"All", func(c *stream.Conn) {
			for range c.All(context.Background()) {
				time.Sleep(needs)
			}
		}},
		{"Chan", func(c *stream.Conn) {
			for range c.Chan(context.Background(), &stream.SubscribeOptions{Size: 1}).C {
				time.Sleep(needs)
			}
		}},
		{"Batches", func(c *stream.Conn) {
			for batch := range c.Batches(context.Background(), &stream.SubscribeOptions{Size: 1}).C {
				time.Sleep(time.Duration(len(batch)) * needs)
			}
		}},
		{"callbacks", func(c *stream.Conn) {
			c.OnBinary(func([]byte) { time.Sleep(needs) })
		}},
		{"a pause now and then", func(c *stream.Conn) {
			taken := 0
			for range c.All(context.Background()) {
				if taken++; taken%100 == 0 {
					resume := c.Pause()
					time.AfterFunc(100*needs, resume)
				}
			}
		}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			p := script.Client(t, operators(heartbeat.New(&heartbeat.Options{Interval: time.Second, Timeout: 3 * time.Second})))
			message := script.Binary(make([]byte, size))
			for range pieces {
				p.Sends(message)
			}
			const last = 70
			answersAll(p, last)
			go c.take(p.Conn)
			time.Sleep(pieces * needs)
			wantAlive(t, p.Conn)
			during := state(t, p.Conn).RTT()
			time.Sleep((last-2)*time.Second - pieces*needs)
			wantAlive(t, p.Conn)
			idle := state(t, p.Conn).RTT()
			if during.Max > 2*time.Second || idle.Last != 0 || idle.Count < during.Count+20 {
				t.Errorf("the round-trip times are %+v, and %+v after it was idle", during, idle)
			}
			<-p.Conn.Done()
			time.Sleep(100 * needs) // the consumer ends
		})
	}
}
