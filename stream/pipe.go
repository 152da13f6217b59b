package stream

import (
	"context"
	"math"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
)

// Pipe sends what comes on ch, many messages with one write, until ch is closed, ctx
// ends, a message cannot be sent, or the connection ends. Messages that it takes
// belong to it, and it releases them when they were written: send a Clone of one
// that [Conn.All] lent. A [Notice] is passed over. Any number of Pipes, Sinks and Sends may run at the same
// time. [Conn.Close] and [Conn.Flush] wait for what stands in ch.
//
// unsent is what Pipe took and did not send, oldest first. The caller owns those
// messages again; what it did not take still stands in ch. The error tells why Pipe
// ended:
//
//   - nil: ch was closed, and all that came has reached the kernel.
//   - The cause of ctx. What was accepted will be sent; only messages in hand are
//     unsent.
//   - A *result.ArgumentError or an operator's error: the first of unsent cannot be
//     sent. Those behind it can be sent first when Pipe is called again.
//   - One that is net.ErrClosed: the connection ended. Each message whose last byte
//     the kernel did not take is unsent, as a whole. What the kernel took may
//     not have reached the peer.
//
// A nil ch is a *result.ArgumentError.
func (c *Conn) Pipe(ctx context.Context, ch <-chan Message) (unsent []Message, err error) {
	if err := check.Context(ctx); err != nil {
		return nil, err
	}
	if ch == nil {
		return nil, &result.ArgumentError{Name: "ch of stream.Conn.Pipe", Allowed: "a channel, not nil"}
	}
	p := newPipe(c, ctx, ch, true)
	defer p.close()
	err = p.run()
	if r, ok := err.(*refusal); ok {
		err = r.error
	}
	return p.unsent(), err
}

// A refusal is why the first message in hand, and not the next ones, cannot be
// sent.
type refusal struct{ error }

// A pipe takes messages out of a channel and sends them, on one goroutine.
type pipe struct {
	// These never change.
	c     *Conn
	ctx   context.Context
	ch    <-chan Message
	drain chan chan<- error // asks for what stands in ch to be sent; the answer is why it was not
	gone  chan struct{}     // closed when the goroutine ends

	// The goroutine's alone.
	taken  []Message    // out of ch, in one go
	hand   []Message    // the end of taken, not accepted yet
	sent   *accepted    // accepted, and perhaps not written yet; nil if nobody wants to know
	answer chan<- error // to the drain under way; nil if there is none
	left   int          // how many messages that drain still waits for
}

// newPipe begins a pipe, which its goroutine has to close.
func newPipe(c *Conn, ctx context.Context, ch <-chan Message, keep bool) *pipe {
	p := &pipe{c: c, ctx: ctx, ch: ch, drain: make(chan chan<- error), gone: make(chan struct{})}
	if keep {
		p.sent = new(accepted)
	}
	c.sinks.add(p)
	return p
}

func (p *pipe) close() {
	p.c.sinks.remove(p)
	close(p.gone)
}

// run sends what comes. It returns nil once ch is closed and all is accepted, and
// written if somebody wants to know; otherwise why the first message in hand, or
// the next, cannot be sent. After a refusal it may be called again.
func (p *pipe) run() error {
	for {
		if err := p.send(); err != nil {
			return err
		}
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		if p.gather(p.taken[:0], p.left); len(p.hand) > 0 {
			p.left -= len(p.hand)
			continue
		}
		p.reply(nil)
		select {
		case m, ok := <-p.ch:
			if !ok {
				return p.recall(0)
			}
			if m.Type == Notice {
				m.Release()
				continue
			}
			p.gather(append(p.taken[:0], m), cap(p.ch))
		case p.answer = <-p.drain:
			p.left = len(p.ch)
		case <-p.moved():
		case <-p.c.Done():
			return p.c.closedError()
		case <-p.ctx.Done():
		}
	}
}

// empties waits until what stands in ch now has been accepted, or ctx ends.
func (p *pipe) empties(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case p.drain <- answer:
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-answer:
		return err
	case <-p.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reply ends the drain under way, if there is one.
func (p *pipe) reply(err error) {
	if p.answer != nil {
		p.answer <- err
		p.answer, p.left = nil, 0
	}
}

// gatherMax is how many bytes a pipe takes out of its channel at a time, and a
// message more.
const gatherMax = 1 << 20

// gather takes up to n messages that stand in the channel, behind those taken. A
// producer that waits for room is woken once for all of them.
func (p *pipe) gather(taken []Message, n int) {
	for size := 0; n > 0 && size < gatherMax; n-- {
		select {
		case m, ok := <-p.ch:
			if ok && m.Type == Notice {
				m.Release()
				continue
			}
			if ok {
				taken = append(taken, m)
				size += len(m.Data)
				continue
			}
		default:
		}
		break
	}
	p.taken, p.hand = taken, taken
}

// send sends what is in hand, as much under one lock as there is room for.
func (p *pipe) send() error {
	w := &p.c.w
	for len(p.hand) > 0 {
		if err := w.lockForPipe(p.ctx); err != nil {
			return err
		}
		err := p.accept()
		if p.ctx.Done() == nil {
			w.push()
		} else {
			w.kick()
		}
		if err == nil {
			err = p.recall(roomLimit)
		}
		if err != nil {
			return err
		}
	}
	clear(p.taken)
	return nil
}

// accept puts what there is room for into the outbox, and unlocks sending. A
// message that was begun is finished, also when ctx ends: the end of a producer is
// not the connection's.
func (p *pipe) accept() error {
	w := &p.c.w
	defer w.sending.unlock()
	for len(p.hand) > 0 && w.roomy() {
		if n := w.batch(p.hand, p.sent); n > 0 {
			p.hand = p.hand[n:]
			continue
		}
		m := p.hand[0]
		if err := m.check(); err != nil {
			return &refusal{err}
		}
		if err := w.whole(context.Background(), m); err != nil {
			if w.takes() {
				err = &refusal{err}
			}
			return err
		}
		p.sent.add(m, w.offset())
		p.hand = p.hand[1:]
	}
	return nil
}

// recall forgets what was written, and waits until the rest is no more than so many
// bytes.
func (p *pipe) recall(most int) error {
	for p.sent != nil {
		written, _, _ := p.c.w.progress()
		p.sent.release(written)
		if p.sent.size <= most {
			break
		}
		if err := p.c.w.reach(p.ctx, p.sent.first()); err != nil {
			return err
		}
	}
	return nil
}

// moved returns what tells that there may be something to forget, if there is
// anything.
func (p *pipe) moved() <-chan struct{} {
	if p.sent == nil || p.sent.size == 0 {
		return nil
	}
	written, _, moved := p.c.w.progress()
	p.sent.release(written)
	return moved
}

// unsent returns what was taken and not sent, when nothing more will be.
func (p *pipe) unsent() []Message {
	var unsent []Message
	if p.sent != nil {
		p.await()
		unsent = p.sent.settle()
	}
	unsent = append(unsent, p.hand...)
	clear(p.taken)
	p.hand = nil
	return unsent
}

// await forgets what is sent of the accepted messages: all, while the connection
// lives. Where it ends, await waits until that is known.
func (p *pipe) await() {
	for p.c.close.begun.fired() && p.ctx.Err() == nil {
		written, over, moved := p.c.w.progress()
		p.sent.release(written)
		if over || p.sent.size == 0 {
			return
		}
		select {
		case <-moved:
		case <-p.ctx.Done():
		}
	}
	p.sent.release(math.MaxInt64)
}
