package mux

import (
	"context"
	"sync"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// An outlet is a relay that is fed while it has takers. What comes while it has
// none is dropped, so that nobody waits for somebody to come.
type outlet struct {
	relay  *stream.Relay
	feeder *stream.Feeder

	mu     sync.Mutex
	taken  context.Context // ends when the last taker goes; nil while there is none
	cancel context.CancelFunc
}

// newOutlet makes an outlet. Changed is called when its first taker has come,
// and when its last one has gone.
func newOutlet(changed func(taken bool)) *outlet {
	o := new(outlet)
	o.relay, o.feeder = stream.NewRelay(&stream.RelayOptions{Takers: func(some bool) {
		o.open(some)
		changed(some)
	}})
	return o
}

func (o *outlet) open(some bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if some {
		o.taken, o.cancel = context.WithCancel(context.Background())
		return
	}
	o.cancel()
	o.taken, o.cancel = nil, nil
}

// context returns one that lasts while there are takers, nil if there are none.
func (o *outlet) context() context.Context {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.taken
}

// put hands on a lent message, if somebody takes it. It waits for a Block
// subscriber.
func (o *outlet) put(m stream.Message) (taken bool) {
	ctx := o.context()
	if ctx == nil {
		return false
	}
	o.feeder.Put(ctx, m.Clone()) // fails when the last taker has gone
	return true
}

// notify hands on a Notice in the same way.
func (o *outlet) notify(m stream.Message) {
	if ctx := o.context(); ctx != nil {
		o.feeder.Notify(ctx, m.Origin(), m.Gap())
	}
}

func (o *outlet) end(st result.Status) { o.feeder.End(st) }
