package mux

import (
	"context"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/stream"
)

// An outlet is a relay for those who take now: what comes while it has no taker is
// dropped.
type outlet struct {
	relay  *stream.Relay
	feeder *stream.Feeder
	taken  atomic.Bool // there are takers
}

// newOutlet makes an outlet. Changed is called when its first taker has come, and when
// its last one has gone.
func newOutlet(post func(func()), log *zap.Logger, changed func(taken bool)) *outlet {
	o := new(outlet)
	o.relay, o.feeder = stream.NewRelay(&stream.RelayOptions{
		Live: true, Post: post, Logger: log,
		Takers: func(some bool) {
			o.taken.Store(some)
			changed(some)
		},
	})
	return o
}

// put hands on a lent message or a Notice. It waits for a Block subscriber, as long as
// that is there.
func (o *outlet) put(m stream.Message) {
	o.feeder.Put(context.Background(), m.Clone()) // fails after the end
}
