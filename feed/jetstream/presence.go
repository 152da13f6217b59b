package jetstream

import (
	"context"
	"fmt"
	"time"
)

// A presence keeps a worker's key alive, whatever the worker does meanwhile.
type presence struct {
	c      *Crew
	cancel context.CancelFunc
	over   chan struct{}
	saying chan string // what the key is to say; it has room for the last one
	failed chan error  // why the key could not be renewed
}

// announce puts the key when it is first told what to say, and renews it three times in
// its life, until leave. Before that the worker has heard of all others: the watch takes
// one key that is written twice for two, and would miss one that answers to this one.
func (c *Crew) announce(ctx context.Context) *presence {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &presence{c: c, cancel: cancel, over: make(chan struct{}), saying: make(chan string, 1), failed: make(chan error, 1)}
	go p.run(ctx) // leave stops it
	return p
}

// say makes the key say a view, unless it does.
func (p *presence) say(view string) {
	select {
	case <-p.saying:
	default:
	}
	p.saying <- view
}

// leave takes the key away, so that the others need not wait until it expires.
func (p *presence) leave() {
	p.cancel()
	<-p.over
	ctx, cancel := context.WithTimeout(context.Background(), p.c.ttl/3)
	defer cancel()
	if err := p.c.kv.Delete(ctx, p.c.name); err != nil {
		p.c.log.Warn("the worker's key could not be deleted: it will expire")
	}
}

func (p *presence) run(ctx context.Context) {
	defer close(p.over)
	tick := time.NewTicker(p.c.ttl / 3)
	defer tick.Stop()
	said, fresh := "", true
	for {
		if !fresh {
			fresh = p.put(ctx, said)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fresh = said == ""
		case view := <-p.saying:
			fresh = fresh && view == said
			said = view
		}
	}
}

// put writes the key.
func (p *presence) put(ctx context.Context, view string) bool {
	ctx, cancel := context.WithTimeout(ctx, p.c.ttl/3)
	defer cancel()
	_, err := p.c.kv.PutString(ctx, p.c.name, view)
	if err != nil && context.Cause(ctx) != context.Canceled {
		select {
		case p.failed <- fmt.Errorf("feed/jetstream: the key of worker %s could not be renewed: %w", p.c.name, err):
		default:
		}
	}
	return err == nil
}
