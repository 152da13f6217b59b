package interop

import (
	"context"
	"testing"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// status is a shorter name.
type status = result.Status

// answersPings sees that the heartbeat's Pings are answered, time and again.
func answersPings(t *testing.T, r *running) {
	beat := heartbeat.New(&heartbeat.Options{Interval: 5 * time.Millisecond, Timeout: patience})
	conn := r.dial(t, off, &dial.Options{Operators: []stream.Operator{beat}})
	state, ok := heartbeat.Of(conn)
	if !ok {
		t.Fatal("the connection has no heartbeat")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	takeAll(ctx, conn, -1) // reads: a Pong that nobody waits for may wait for a second
	enough := make(chan struct{})
	state.OnRTT(func(rtt heartbeat.RTT) {
		if rtt.Count == 3 {
			close(enough)
		}
	})
	if !within(t, enough) {
		t.Fatalf("three Pings were not answered: %+v", state.RTT())
	}
	if rtt := state.RTT(); rtt.Count < 3 || rtt.Min <= 0 || rtt.Max < rtt.Min || rtt.Last > patience {
		t.Errorf("the round-trip times are %+v", rtt)
	}
}

// pingsUs sees that our Pong is what the peer takes for an answer to its Ping.
func pingsUs(t *testing.T, r *running) {
	for _, o := range outfits {
		t.Run(o.name, func(t *testing.T) {
			conn := r.dial(t, standard, &dial.Options{Operators: o.operators})
			got := takeAll(t.Context(), conn, 1)
			sendEach(t, conn, []stream.Message{text("ping there")})
			gives(t, got, []stream.Message{text("pong there")})
			echo(t, conn, senders[0], takers[0], []stream.Message{text("still here")})
		})
	}
}
