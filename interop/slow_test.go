package interop

import (
	"context"
	"io"
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
	const size, piece, each, timeout = 20 << 20, 64 << 10, 10 * time.Millisecond, 1500 * time.Millisecond
	beat := heartbeat.New(&heartbeat.Options{Interval: 100 * time.Millisecond, Timeout: timeout})
	conn := r.dial(t, off, &dial.Options{Operators: []stream.Operator{beat}})
	sendEach(t, conn, []stream.Message{text("burst 20")})
	state, _ := heartbeat.Of(conn)
	beats := make(chan heartbeat.RTT, 1000)
	state.OnRTT(func(rtt heartbeat.RTT) { beats <- rtt })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticks := time.NewTicker(each)
	defer ticks.Stop()
	_, message, err := conn.Reader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for taken := 0; taken < size; taken += piece {
		if _, err := io.ReadFull(message, make([]byte, piece)); err != nil {
			t.Fatalf("after %d bytes: %v", taken, err)
		}
		<-ticks.C
	}
	if n, err := io.Copy(io.Discard, message); n > 0 || err != nil {
		t.Fatalf("%d more bytes came, and the error %v", n, err)
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
