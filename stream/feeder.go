package stream

import (
	"context"
	"fmt"
	"net"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
)

// A Feeder is the writing side of a [Relay]. All methods may be called from many
// goroutines.
type Feeder struct{ r *Relay }

// hoardMost is how many bytes of messages wait in a Relay that nobody takes from,
// before whoever has more has to wait.
const hoardMost = 1 << 20

// errRelayEnded is what a Feeder returns after End.
var errRelayEnded = fmt.Errorf("wsflow: the Relay has ended: %w", net.ErrClosed)

// Put puts a message into the stream, behind all that came before it. The message is
// the Relay's from then on, also where an error is returned. Put returns when all
// subscribers have it in their queues, and waits while a [Block] subscriber has no
// room. While there is no subscriber, up to 1 MiB of messages wait for the next, and
// Put waits with more. So it must not be called where messages of this Relay are taken,
// in the body of a loop over All or a callback: it waits for that to return.
//
// m is Text, Binary, or a [Notice] that came from another Relay. It keeps its Origin.
//
// The error is a *result.ArgumentError for a nil ctx or another type, net.ErrClosed
// after [Feeder.End], or the cause of ctx. The message is thrown away then; after the
// end of ctx some subscribers may have it.
func (f *Feeder) Put(ctx context.Context, m Message) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	switch m.Type {
	case Text, Binary:
	case Notice:
		if m.Gap() == nil {
			return errNoGap
		}
	default:
		return &result.ArgumentError{Name: "type of a message", Value: int(m.Type), Allowed: "stream.Text, stream.Binary, or stream.Notice with a Gap"}
	}
	m.tag = m.tag.bare()
	return f.r.put(ctx, m)
}

var errNoGap = &result.ArgumentError{Name: "gap of a stream.Notice", Allowed: "a Gap, not nil"}

// Notify puts a [Notice] into the stream, as Put puts a message. g must not be changed
// afterwards. The Notice's Origin is o, which may be nil.
func (f *Feeder) Notify(ctx context.Context, o *Origin, g *Gap) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	if g == nil {
		return errNoGap
	}
	b := bufpool.Get(0) // as what was kept, and what is put, may be owned
	return f.r.put(ctx, Message{Type: Notice, own: b, ticket: b.Only(), tag: &tag{origin: o, gap: g}})
}

// End ends the Relay: st is its terminal event. What was put before is delivered
// first, and so is what is left of joined sources that have ended. Then the streams
// end: plainly if st.Err is nil, and with that error otherwise. Sources that have not
// ended are left at once, and what they have not handed on stays with them. Only the
// first call does anything. End does not wait.
func (f *Feeder) End(st result.Status) { f.r.end(st) }

func (r *Relay) end(st result.Status) {
	r.leaveAll() // before anybody is told, who may want to take from them
	if !r.settled(st) {
		return
	}
	r.leaveAll() // those that were joined meanwhile
	r.tend()
	r.source.adopted().sourceOver()
}

// leaveAll takes out the sources that have not ended; what others still hold is handed on.
func (r *Relay) leaveAll() {
	for _, f := range r.sources() {
		if !f.src.ended() {
			f.leave()
		}
	}
}

// put puts one message into the stream.
func (r *Relay) put(ctx context.Context, m Message) error {
	p := &putting{ctx: ctx}
	for {
		if ctx.Err() != nil || r.lock(p, nil) != nil {
			m.Release()
			return context.Cause(ctx)
		}
		moved, err := r.putNow(p, m)
		if moved == nil {
			return err
		}
		select {
		case <-moved:
		case <-r.Done():
		case <-ctx.Done():
		}
	}
}

// putNow puts a message, under the turn, and lets that go. If there is no taker and too
// much waits for one, it returns what is closed when one comes.
func (r *Relay) putNow(p *putting, m Message) (moved <-chan struct{}, err error) {
	defer r.unlock()
	switch {
	case r.ended():
		m.Release()
		return nil, errRelayEnded
	case len(r.audience.lanes) > 0:
		p.one[0] = m
		r.present(p.one[:])
		return nil, p.err
	case r.live:
		m.Release()
		return nil, nil
	case r.hoard >= hoardMost:
		if moved, none := r.source.moves(); none {
			return moved, nil
		}
		return happened, nil
	}
	r.keep(m)
	return nil, nil
}

// keep keeps a message for the next taker, under the turn.
func (r *Relay) keep(m Message) {
	r.hoard += len(m.Data) + messageSize
	r.source.keepLast([]Message{m})
}

// messageSize is about what a message takes beside its data.
const messageSize = 64

// A putting is a Put as a giver.
type putting struct {
	bystander
	ctx context.Context
	one [1]Message // room for the message
	err error      // why it was thrown away
}

func (p *putting) quit() <-chan struct{} { return p.ctx.Done() }

func (p *putting) lose(messages []Message) {
	p.err = context.Cause(p.ctx)
	release(messages)
}
