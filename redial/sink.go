package redial

import (
	"context"
	"errors"
	"net"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Sink returns a channel of the caller's own; what is sent on it is sent to the peer,
// as by [stream.Conn.Sink], on one connection after another. A message sent to it
// belongs to the sink. Before the first connection the sink takes nothing.
//
// A message is unsent if the kernel did not take its last byte before its connection
// ended. What the kernel took may still not have reached the peer: a server that must
// get each message has to acknowledge them.
//
// With Options.Carry the sink keeps what is unsent, and sends it first on the next
// connection, in order. In a gap it takes nothing more, and its channel fills. Without
// Carry it gives up what is unsent when a connection ends, and what comes in a gap.
// In both cases it gives up what cannot be sent at all, and what is left when ctx or
// the source ends.
//
// SinkOptions.Unsent is told of each message that was given up, and why: [ErrGap], the
// cause of ctx, net.ErrClosed at the end of the source, or why it cannot be sent.
// Without Unsent, the messages are released and the log counts them.
//
// At the end of the source the channel goes on to take messages, and gives them up,
// until it is closed or ctx ends. One of the two must happen, or a goroutine stays
// behind. With SinkOptions.CloseConn, closing the channel closes the source with 1000
// when all has been sent.
func (s *Source) Sink(ctx context.Context, o *stream.SinkOptions) chan<- stream.Message {
	if o == nil {
		o = &stream.SinkOptions{}
	}
	size, err := check.SinkBuffer(o.Buffer)
	if none := check.Context(ctx); none != nil {
		ctx, err = context.Background(), none
	}
	k := &sink{s: s, ctx: ctx, ch: make(chan stream.Message, size), unsent: o.Unsent, flushed: make(chan struct{})}
	k.until, k.stop = context.WithCancelCause(ctx)
	s.addSink(k)
	go func() { // ends when the channel is closed or ctx ends
		defer k.report()
		if err == nil {
			err = k.run()
		}
		s.removeSink(k)
		if err != nil {
			k.giveUp(err)
		} else if o.CloseConn {
			s.Close(result.StatusNormalClosure, "")
		}
	}()
	return k.ch
}

// A sink sends what comes on a channel on one connection after another, on one
// goroutine.
type sink struct {
	// Never change.
	s       *Source
	ctx     context.Context
	ch      chan stream.Message
	unsent  func(stream.Message, error) // nil if nobody asked
	until   context.Context             // ends with ctx, or when the source closes
	stop    context.CancelCauseFunc     // ends until
	flushed chan struct{}               // closed when nothing more is sent

	// The goroutine's.
	hand []stream.Message // taken and not sent; they go first
	lost int              // messages that nobody was told of
}

func (s *Source) addSink(k *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sinks == nil {
		s.sinks = make(map[*sink]struct{})
	}
	s.sinks[k] = struct{}{}
}

func (s *Source) removeSink(k *sink) {
	k.stop(nil)
	close(k.flushed)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sinks, k)
}

// flushTimeout bounds how long a source that closes waits for its sinks.
const flushTimeout = 5 * time.Second

// flush has sinks send what stands in them, and waits until they have, or gone is
// closed, but not for ever.
func flush(sinks []*sink, gone <-chan struct{}) {
	late := time.NewTimer(flushTimeout)
	defer late.Stop()
	for _, k := range sinks {
		k.stop(net.ErrClosed)
	}
	for _, k := range sinks {
		select {
		case <-k.flushed:
		case <-gone:
			return
		case <-late.C:
			return
		}
	}
}

// run sends what comes. It returns nil when the channel is closed and all has been
// sent, and otherwise why nothing more is sent.
func (k *sink) run() error {
	var last *stream.Conn
	for {
		conn, err := k.next(last)
		if err != nil {
			return k.finish(err)
		}
		if conn == nil {
			return nil
		}
		if err = k.send(k.until, conn, k.ch); err == nil || k.ctx.Err() != nil {
			return err
		}
		last = conn // it has ended; or the source is to end, and there is no next one
	}
}

// next waits for a connection behind the last one. It returns none if the channel is
// closed meanwhile.
func (k *sink) next(last *stream.Conn) (*stream.Conn, error) {
	for {
		conn, turned, err := k.s.look(false)
		if err != nil || conn != nil && conn != last {
			return conn, err
		}
		var in <-chan stream.Message // what comes in a gap is given up
		if last != nil && !k.s.opts.Carry {
			k.drop(ErrGap)
			in = k.ch
		}
		select {
		case <-turned:
		case m, ok := <-in:
			if !ok {
				return nil, nil
			}
			k.hand = append(k.hand, m)
		case <-k.ctx.Done():
			return nil, context.Cause(k.ctx)
		}
	}
}

// finish sends what stands in the channel before a connection that the source closes
// is closed. It returns why.
func (k *sink) finish(why error) error {
	conn := k.s.closing()
	if conn == nil {
		return why
	}
	for n := len(k.ch); n > 0; n-- {
		if m, ok := <-k.ch; ok {
			k.hand = append(k.hand, m)
		}
	}
	k.send(k.ctx, conn, nil)
	return why
}

// closing returns the connection that is to be closed behind what stands in the sinks,
// if there is one.
func (s *Source) closing() *stream.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cycle.phase == phaseOpen && s.cycle.asked != nil && s.cycle.asked.kind == wishWait {
		return s.conn
	}
	return nil
}

// send sends what is in hand and then what comes on ch, if it is not nil, until that is
// closed. It ends early with the connection or with ctx. Messages that cannot be sent
// are passed over.
func (k *sink) send(ctx context.Context, conn *stream.Conn, ch <-chan stream.Message) error {
	for {
		hand := make(chan stream.Message, len(k.hand))
		for _, m := range k.hand {
			hand <- m
		}
		close(hand)
		again, err := k.pipe(ctx, conn, hand)
		for m := range hand {
			k.hand = append(k.hand, m)
		}
		if err == nil && !again && ch != nil {
			again, err = k.pipe(ctx, conn, ch)
		}
		if err != nil || !again {
			return err
		}
	}
}

// pipe sends what comes on a channel, and keeps in hand what was not sent. It reports
// whether to go on behind a message that cannot be sent.
func (k *sink) pipe(ctx context.Context, conn *stream.Conn, ch <-chan stream.Message) (again bool, err error) {
	k.hand, err = conn.Pipe(ctx, ch)
	if err == nil || ctx.Err() != nil || errors.Is(err, net.ErrClosed) || len(k.hand) == 0 {
		return false, err
	}
	k.lose(k.hand[0], err)
	k.hand = k.hand[1:]
	return true, nil
}

// giveUp gives up what is in hand and what comes.
func (k *sink) giveUp(why error) {
	k.drop(why)
	for k.ctx.Err() == nil {
		select {
		case m, ok := <-k.ch:
			if !ok {
				return
			}
			k.lose(m, why)
		case <-k.ctx.Done():
		}
	}
	for n := len(k.ch); n > 0; n-- {
		m, ok := <-k.ch
		if !ok {
			return
		}
		k.lose(m, context.Cause(k.ctx))
	}
}

// drop gives up what is in hand.
func (k *sink) drop(why error) {
	for _, m := range k.hand {
		k.lose(m, why)
	}
	k.hand = nil
}

// lose gives up a message.
func (k *sink) lose(m stream.Message, why error) {
	if m.Type == stream.Notice { // nobody wants it sent
		m.Release()
		return
	}
	if k.unsent != nil {
		k.unsent(m, why)
		return
	}
	k.lost++
	m.Release()
}

// report counts in the log what was given up.
func (k *sink) report() {
	if k.lost > 0 {
		k.s.opts.logger().Warn("a sink gave up messages", zap.Int("messages", k.lost))
	}
}
