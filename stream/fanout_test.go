package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A subscriber that never waits gets what came, whoever else is waited for.
func TestBatchesFlowBesideAFullQueue(t *testing.T) {
	for _, policy := range []stream.Policy{stream.DropOldest, stream.DropNewest, stream.Latest, stream.Fail} {
		synctest.Test(t, func(t *testing.T) {
			p := script.Client(t, nil)
			resume := p.Conn.Pause()
			batches := p.Conn.Batches(t.Context(), &stream.SubscribeOptions{Policy: policy})
			p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
			resume()
			p.Sends(manyFrames(4)...)
			time.Sleep(time.Minute)
			select {
			case batch := <-batches.C:
				sameMessages(t, batch, manyMessages(4))
			default:
				t.Errorf("policy %d: no batch came in a minute", policy)
			}
		})
	}
}
