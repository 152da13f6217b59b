package interop

import (
	"context"
	"testing"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/stream"
)

// outlivesBurst has a consumer that takes 20 MB much slower than they come, so
// that no Pong can be read for longer than the heartbeat's timeout, and then a
// connection that is idle. A peer may give up a Pong that it could not write, as
// gorilla does after a second.
func outlivesBurst(t *testing.T, r *running) {
	const messages, each, timeout = 320, 10 * time.Millisecond, 400 * time.Millisecond
	beat := heartbeat.New(&heartbeat.Options{Interval: 100 * time.Millisecond, Timeout: timeout})
	conn := r.dial(t, off, &dial.Options{Operators: []stream.Operator{beat}})
	sendEach(t, conn, []stream.Message{text("burst 320")})
	state, _ := heartbeat.Of(conn)
	beats := make(chan heartbeat.RTT, 1000)
	state.OnRTT(func(rtt heartbeat.RTT) { beats <- rtt })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticks := time.NewTicker(each)
	defer ticks.Stop()
	taken := 0
	for m, err := range conn.All(ctx) {
		if err != nil {
			t.Fatalf("after %d messages: %v", taken, err)
		}
		if len(m.Data) != 64<<10 {
			t.Fatalf("a message of %d bytes came", len(m.Data))
		}
		if taken++; taken == messages {
			break
		}
		<-ticks.C
	}
	idle := state.RTT()
	for rtt := idle; rtt.Count < idle.Count+5; {
		select {
		case rtt = <-beats:
		case <-conn.Done():
			_, err := conn.Result().Wait(ctx)
			t.Fatalf("the connection ended when it was idle: %v", err)
		case <-ctx.Done():
			t.Fatal("no Pong was measured when the connection was idle")
		}
	}
}
