package stream_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// When a Sink's context ends, it takes nothing more, and what stands in its
// channel is counted.
func TestSinkLeavesAtItsContextsEnd(t *testing.T) {
	for range 20 { // a choice between the two would be a random one
		bubble(t, "", func(t *testing.T) {
			const left = 20
			logger, seen := logs()
			p := script.Client(t, &stream.Options{Logger: logger})
			p.StopsReading()
			inner, cancel := context.WithCancel(ctx)
			sink := p.Conn.Sink(inner, &stream.SinkOptions{Buffer: left})
			sink <- text("first")
			synctest.Wait() // it waits for the network
			for range left {
				sink <- text("left")
			}
			cancel()
			p.ReadsOn()
			p.WantsMessage("what was on its way", script.Text("first"))
			synctest.Wait()
			told := seen.All()
			if len(told) != 1 || told[0].ContextMap()["messages"] != int64(left) {
				t.Errorf("of %d messages that were left, it was told %v", left, told)
			}
			p.Conn.CloseNow(nil)
		})
	}
}
