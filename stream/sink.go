package stream

import (
	"context"
	"errors"
	"sync"

	"github.com/wsflow/wsflow/internal/check"
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
	// Unsent is called, in order, with each message that the sink took and did not
	// send, and with those that stand in the channel when the context ends. why is one
	// of the errors of [Conn.Pipe]. A message is unsent if the kernel did not take its
	// last byte before the connection ended.
	//
	// Unsent is called on the sink's goroutine, which waits for it, as do Close and
	// Flush. It owns the message. With nil, messages are released as soon as they are
	// copied to be written, and only the log tells of those that were not accepted.
	Unsent func(m Message, why error)
}

// Sink returns a channel of the caller's own; what is sent on it is sent to the peer,
// many messages with one write. A message sent to it belongs to the sink, which
// releases it: send a Clone of one that [Conn.All] lent. Where several sinks get the
// same message, give all but one of them a Clone. A message that cannot be sent (text
// that is not UTF-8, a type that is neither Text nor Binary, one that an operator
// refuses) is skipped. If ctx is nil or Buffer cannot be used, each message is
// skipped, with a *result.ArgumentError. A [Notice] is passed over without a word.
// SinkOptions.Unsent is told of each message that was not sent; without it, they are
// logged.
//
// Closing the channel ends this producer. It ends the connection only with
// [SinkOptions.CloseConn]. When ctx ends, what stands in the channel then is not
// sent. So select on ctx as well where you send on the channel, and end ctx after
// [Conn.Flush] or the end of the connection. Once the connection closes, the channel
// goes on to take messages, and sends none of them, until it is closed or ctx ends,
// so that no producer hangs; one of the two must happen, or a goroutine stays behind.
//
// Sink is a channel and a [Conn.Pipe].
func (c *Conn) Sink(ctx context.Context, o *SinkOptions) chan<- Message {
	if o == nil {
		o = &SinkOptions{}
	}
	size, err := check.SinkBuffer(o.Buffer)
	if none := check.Context(ctx); none != nil {
		ctx, err = context.Background(), none
	}
	ch := make(chan Message, size)
	s := &sink{pipe: newPipe(c, ctx, ch, o.Unsent != nil), tell: o.Unsent, closeConn: o.CloseConn}
	if err != nil {
		go s.discard(s.skip, err) // ends when the channel is closed or ctx ends
	} else {
		go s.run() // the same
	}
	return ch
}

// A sink is a pipe that goes on behind what it cannot send.
type sink struct {
	*pipe
	tell      func(Message, error) // nil if nobody asked
	closeConn bool
	late      int // messages that were not sent as the connection or the context ended
}

// run sends what comes, and skips what cannot be sent.
func (s *sink) run() {
	for {
		err := s.pipe.run()
		if err == nil {
			s.close()
			if s.closeConn {
				s.c.Close(result.StatusNormalClosure, "")
			}
			return
		}
		var r *refusal
		if !errors.As(err, &r) {
			for _, m := range s.unsent() {
				s.lose(m, err)
			}
			s.discard(s.lose, err)
			return
		}
		s.skip(s.hand[0], r.error)
		s.hand = s.hand[1:]
	}
}

// discard gives up on what comes, until the channel is closed or ctx ends.
func (s *sink) discard(giveUp func(Message, error), why error) {
	defer s.close()
	defer s.report()
	s.reply(why)
	for s.ctx.Err() == nil {
		select {
		case m, ok := <-s.ch:
			if !ok {
				return
			}
			giveUp(m, why)
		case s.answer = <-s.drain:
			s.empty(giveUp, why)
			if s.late == 0 {
				s.reply(nil)
			}
			s.reply(why)
		case <-s.ctx.Done():
		}
	}
	s.empty(giveUp, context.Cause(s.ctx))
}

// empty gives up on what stands in the channel.
func (s *sink) empty(giveUp func(Message, error), why error) {
	for n := len(s.ch); n > 0; n-- {
		select {
		case m, ok := <-s.ch:
			if !ok {
				return
			}
			giveUp(m, why)
		default:
			return
		}
	}
}

// lose gives up on a message that comes too late.
func (s *sink) lose(m Message, why error) {
	if m.Type == Notice {
		m.Release()
		return
	}
	s.late++
	if s.tell != nil {
		s.tell(m, why)
		return
	}
	m.Release()
}

// skip gives up on a message that cannot be sent.
func (s *sink) skip(m Message, why error) {
	if m.Type == Notice {
		m.Release()
		return
	}
	if s.tell != nil {
		s.tell(m, why)
		return
	}
	s.c.log().Warn("a message in a sink cannot be sent", zap.Stringer("type", m.Type), zap.Int("bytes", len(m.Data)), zap.Error(why))
	m.Release()
}

func (s *sink) report() {
	if s.late > 0 && s.tell == nil {
		s.c.log().Warn("a sink discarded messages, as its context ended or the connection closed", zap.Int("messages", s.late))
	}
}

// sinks are the pipes of a connection, those of its Sinks too.
type sinks struct {
	mu  sync.Mutex
	all map[*pipe]struct{} // guarded by mu
}

func (s *sinks) add(one *pipe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[*pipe]struct{})
	}
	s.all[one] = struct{}{}
}

func (s *sinks) remove(one *pipe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, one)
}

// drain waits until what stands in the channels now has been accepted, or ctx
// ends. The error is why some of it, or of what came before, was not.
func (s *sinks) drain(ctx context.Context) (err error) {
	s.mu.Lock()
	all := make([]*pipe, 0, len(s.all))
	for one := range s.all {
		all = append(all, one)
	}
	s.mu.Unlock()
	for _, one := range all {
		if why := one.empties(ctx); err == nil {
			err = why
		}
	}
	return err
}
