package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wsflow/wsflow/internal/check"
)

// Ping sends a Ping frame and waits for its Pong. It returns the time from when
// the Ping was queued until the bytes of the Pong were read, queued data in front
// of it included.
//
// Ping takes no messages: it works while others take them, while nobody does, and
// while a pause is held. While it waits and no consumer reads, it reads ahead, up
// to Options.LookAhead. Many calls may wait at the same time. The heartbeat is
// not concerned: it counts neither the Ping nor the Pong.
//
// A peer may answer the latest of several Pings alone (RFC 6455, section 5.5.3):
// the Pong for a later call ends those before it.
//
// When ctx ends first, the error wraps its cause and says whether reading was
// held, so that the Pong may lie unread. The error is net.ErrClosed, and wraps
// that of the terminal event, if the connection ends first or has begun to close.
// While more than 16 KiB of control frames wait for the network, Ping fails at
// once.
func (c *Conn) Ping(ctx context.Context) (rtt time.Duration, err error) {
	if err := check.Context(ctx); err != nil {
		return 0, err
	}
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	p, err := c.pinger().ask(&c.w)
	if err != nil {
		return 0, err
	}
	c.w.kick()
	stop := context.AfterFunc(ctx, c.t.interrupt)
	defer stop()
	defer c.pinger().forget(p)
	c.hear(ctx, p)
	return c.pong(ctx, p)
}

// hear reads wherever no consumer does, until the Pong has come, ctx has ended, or
// there is nothing more to read: the look-ahead is spent, or the stream is over.
func (c *Conn) hear(ctx context.Context, p *ping) {
	r := &c.r
	enough := func() bool { return closed(p.answered) || ctx.Err() != nil }
	for more := true; more && !enough(); {
		if !r.tryAcquire() {
			select {
			case r.mu.locking() <- struct{}{}:
				r.heard()
			case <-p.answered:
				return
			case <-ctx.Done():
				return
			case <-c.Done():
				return
			}
		}
		r.ahead.run(r.ahead.bound, enough)
		more = !r.over && !r.ahead.held.Load()
		r.release()
	}
	if r.ahead.held.Load() {
		go c.discardOn() // ends with the stream, or when somebody subscribes
	}
}

// pong waits for what becomes of a Ping while others read.
func (c *Conn) pong(ctx context.Context, p *ping) (rtt time.Duration, err error) {
	select {
	case <-p.answered:
	case <-c.Done():
		err = c.closedError()
	case <-ctx.Done():
		why := errUnanswered
		if c.r.ahead.held.Load() {
			why = errHeld
		}
		err = fmt.Errorf("%w: %w", why, context.Cause(ctx))
	}
	if closed(p.answered) {
		return p.took, nil
	}
	return 0, err
}

var (
	errUnanswered = errors.New("wsflow: no Pong has come")
	errHeld       = errors.New("wsflow: no Pong was read, as reading is held: the messages that came wait for a consumer, and Options.LookAhead is spent")
)

// A pinger is the shell of the program's own Pings. Connections have one from their
// first Ping on. Its lock comes before the writer's.
type pinger struct {
	mu    sync.Mutex
	pings // guarded by mu
}

// pinger returns the connection's, made for the first who asks.
func (c *Conn) pinger() *pinger {
	p := c.pings.Load()
	for p == nil {
		c.pings.CompareAndSwap(nil, new(pinger))
		p = c.pings.Load()
	}
	return p
}

// ask queues a Ping; the next kick sends it.
func (p *pinger) ask(w *writer) (*ping, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := w.interject(Ping, pingPayload(p.last+1), false); err != nil {
		return nil, err
	}
	return p.add(now()), nil
}

func (p *pinger) forget(one *ping) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(one)
}

// ponged takes in a Pong that was read at the given time.
func (c *Conn) ponged(payload []byte, read time.Duration) {
	p := c.pings.Load()
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer(payload, read)
}
