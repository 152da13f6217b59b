package stream

import (
	"context"

	"github.com/wsflow/wsflow/result"
)

// A chain sums up the operators' In and Out functions. A piece is pulled up through
// the Ins: each is asked for one piece at a time, so that what a few bytes off the
// wire grow into never waits in memory.
type chain struct {
	rsv  byte  // the bits that some operator owns
	some bool  // some operator has an In
	all  bool  // some operator wants every message
	out  bool  // some operator has an Out
	more int32 // operators with more to give
}

func (c *chain) add(h Hooks) {
	c.rsv |= h.RSV
	c.some = c.some || h.In != nil
	c.all = c.all || h.In != nil && h.RSV == 0
	c.out = c.out || h.Out != nil
}

// wants reports whether an operator wants a message that begins with these
// reserved bits.
func (c *chain) wants(rsv byte) bool { return c.all || rsv&c.rsv != 0 || c.more > 0 }

// next returns the next piece above the operators; text is valid so far.
func (r *reader) next(ctx context.Context) (Frame, error) {
	if !r.chain.some {
		f, err := r.piece(ctx)
		if err == nil && f.Last {
			err = r.checkEnd(f)
		}
		return f, err
	}
	f, err := r.pull(ctx, r.c.links)
	if err != nil {
		return f, err
	}
	if f.RSV != 0 {
		return f, protocolError("the reserved bits %03b of a %v message were left by its extension", f.RSV, f.Type)
	}
	if !r.frame.plain {
		if f.First {
			r.frame.text.Reset()
		}
		if err := r.checkText(f.Type, f.Payload); err != nil {
			return f, err
		}
	}
	if f.Last {
		err = r.checkEnd(f)
	}
	return f, err
}

// pull asks the first of these operators for a piece, and those below it where
// it needs one.
func (r *reader) pull(ctx context.Context, links []Link) (Frame, error) {
	for len(links) > 0 && links[0].in == nil {
		links = links[1:]
	}
	if len(links) == 0 {
		return r.piece(ctx)
	}
	s := &links[0]
	for {
		if r.attention.Load() != 0 { // an operator may have more without end
			if err := r.attend(ctx); err != nil {
				return Frame{}, err
			}
		}
		var f Frame
		if !s.more {
			var err error
			if f, err = r.pull(ctx, links[1:]); err != nil {
				return f, err
			}
			if s.rsv != 0 && f.RSV&s.rsv == 0 {
				return f, nil
			}
		}
		out, more, err := s.in(f)
		r.chain.mark(s, more)
		if err != nil {
			return out, operatorError(err)
		}
		if out.Type != 0 {
			return out, nil
		}
	}
}

func (c *chain) mark(s *Link, more bool) {
	if more == s.more {
		return
	}
	s.more = more
	if more {
		c.more++
	} else {
		c.more--
	}
}

// operatorError makes an operator's error one that the connection can end with.
func operatorError(err error) error {
	if _, ok := err.(*result.ProtocolError); ok {
		return err
	}
	return &operatorFailure{err}
}

// An operatorFailure is an operator's error that is not the peer's fault. The
// peer is told 1011.
type operatorFailure struct{ error }

func (e *operatorFailure) Unwrap() error { return e.error }
