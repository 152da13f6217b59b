package stream

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// SinkOptions are the options of [Conn.Sink]; nil and zero mean the defaults.
type SinkOptions struct {
	// Buffer is the channel's capacity, up to 16,777,216 messages. Zero means
	// 512; negative means none.
	Buffer int
	// CloseConn makes the end of this producer the end of the connection:
	// closing the channel sends what stands in it and then closes with 1000.
	CloseConn bool
}

// Sink returns a channel of the caller's own; what is sent on it is sent to the
// peer, many messages with one write. A message sent to it belongs to the sink,
// which releases it: send a Clone of one that [Conn.All] lent, and to all but
// one of several sinks that get the same one. Messages that cannot be sent (text
// that is not UTF-8, a type that is neither Text nor Binary, one that an operator
// refuses) are logged and skipped; without a Logger nobody hears of them. If
// ctx is nil or Buffer cannot be used, the sink sends none of its messages, and each is logged
// with a *result.ArgumentError.
//
// Closing the channel ends this producer and, unless asked for, not the
// connection. When ctx ends, nothing more is taken, and what stands in the
// channel is not sent: select on ctx as well, and end it after [Conn.Flush] or
// the connection's end. Once the connection closes, the channel goes on to take
// messages, and discards them, until it is closed or ctx ends, so that no
// producer hangs; one of the two must happen, or a goroutine stays behind. How
// many were discarded is logged.
func (c *Conn) Sink(ctx context.Context, o *SinkOptions) chan<- Message {
	if o == nil {
		o = &SinkOptions{}
	}
	size, err := o.buffer()
	if none := checkContext(ctx); none != nil {
		ctx, err = context.Background(), none
	}
	s := &sink{c: c, ctx: ctx, refused: err, ch: make(chan Message, size), asks: make(chan chan struct{}), gone: make(chan struct{}), closeConn: o.CloseConn}
	c.sinks.add(s)
	go s.run() // ends when the channel is closed or ctx ends
	return s.ch
}

// buffer returns the channel's capacity: 0 if it cannot be used.
func (o *SinkOptions) buffer() (int, error) {
	size := o.Buffer
	setDefault(&size, 512)
	if size > maxQueueSize {
		return 0, &result.ArgumentError{Name: "stream.SinkOptions.Buffer", Value: size, Allowed: "up to 16777216, 0 for 512, or negative for none"}
	}
	return max(size, 0), nil
}

// sinks are the producers of a connection.
type sinks struct {
	mu  sync.Mutex
	all map[*sink]struct{}
}

func (s *sinks) add(one *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[*sink]struct{})
	}
	s.all[one] = struct{}{}
}

func (s *sinks) remove(one *sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, one)
}

// drain waits until what stands in the channels now has been accepted, the
// connection ends, or ctx does.
func (s *sinks) drain(ctx context.Context) error {
	s.mu.Lock()
	all := make([]*sink, 0, len(s.all))
	for one := range s.all {
		all = append(all, one)
	}
	s.mu.Unlock()
	for _, one := range all {
		if err := one.drain(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A sink is one producer's channel and the goroutine that empties it.
type sink struct {
	c         *Conn
	ctx       context.Context
	ch        chan Message
	asks      chan chan struct{}
	gone      chan struct{} // closed when the goroutine ends
	closeConn bool
	refused   error     // an argument cannot be used: nothing is sent
	have      []Message // taken out of the channel
	discarded int
}

// drain asks the goroutine to empty the channel.
func (s *sink) drain(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case s.asks <- done:
	case <-s.gone:
		return nil
	case <-s.c.Done():
		return s.c.w.closedError()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-done:
		return nil
	case <-s.gone:
		return nil
	case <-s.c.Done():
		return s.c.w.closedError()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *sink) run() {
	defer close(s.gone)
	defer s.report()
	defer s.c.sinks.remove(s)
	for s.ctx.Err() == nil {
		select {
		case m, ok := <-s.ch:
			if !ok {
				s.closed()
				return
			}
			s.have = append(s.have[:0], m)
			s.gather(cap(s.ch))
			s.send()
		case done := <-s.asks:
			for n := len(s.ch); n > 0; n -= len(s.have) {
				s.have = s.have[:0]
				s.gather(n)
				if len(s.have) == 0 {
					break
				}
				s.send()
			}
			close(done)
		case <-s.ctx.Done():
		}
	}
	s.discarded += len(s.ch)
}

func (s *sink) closed() {
	if s.closeConn {
		s.c.Close(result.StatusNormalClosure, "")
	}
}

// gatherMax is how many bytes a sink takes out of its channel at a time, and a
// message more.
const gatherMax = 1 << 20

// gather takes up to n messages that stand in the channel. A producer that
// waits for room is woken once for all of them.
func (s *sink) gather(n int) {
	for size := 0; n > 0 && size < gatherMax; n-- {
		select {
		case m, ok := <-s.ch:
			if !ok {
				return
			}
			s.have = append(s.have, m)
			size += len(m.Data)
		default:
			return
		}
	}
}

// send sends what was gathered, as much in one turn as there is room for.
func (s *sink) send() {
	w := &s.c.w
	for i := 0; i < len(s.have); {
		err := s.refused
		if err == nil {
			err = w.take(s.ctx)
		}
		if err != nil {
			for _, m := range s.have[i:] {
				s.discard(m, err)
			}
			break
		}
		for i < len(s.have) && w.roomy() {
			if n := w.batch(s.have[i:]); n > 0 {
				i += n
				continue
			}
			s.one(s.have[i])
			i++
		}
		w.unlock()
		w.push()
	}
	clear(s.have)
}

// one sends a message under the turn.
func (s *sink) one(m Message) {
	err := m.check()
	if err == nil {
		err = s.c.w.message(m)
	}
	if err != nil {
		s.discard(m, err)
		return
	}
	m.Release()
}

// discard gives up on a message. Those that came too late are counted.
func (s *sink) discard(m Message, err error) {
	if errors.Is(err, net.ErrClosed) || s.ctx.Err() != nil {
		s.discarded++
	} else {
		s.c.log().Warn("a message in a sink cannot be sent", zap.Stringer("type", m.Type), zap.Int("bytes", len(m.Data)), zap.Error(err))
	}
	m.Release()
}

func (s *sink) report() {
	if s.discarded > 0 {
		s.c.log().Warn("a sink discarded messages, as its context ended or the connection closed", zap.Int("messages", s.discarded))
	}
}
