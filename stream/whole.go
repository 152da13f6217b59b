package stream

import (
	"context"
	"fmt"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// A whole is a message under assembly from pieces. A message of one piece
// needs none: it is lent as it lies in the buffer, or as an operator made it.
type whole struct {
	skip bool // the rest of the message under way is not wanted
	typ  Type // of the message under assembly, zero if there is none
	own  *bufpool.Buffer
	n    int // bytes of own that are filled
}

// announce is told of each data frame before its payload comes.
func (w *whole) announce(f *frame, limit int64) error {
	if !f.plain || w.skip || limit < 0 {
		return nil
	}
	if size := int64(w.n) + f.left; size > limit || size < 0 {
		return tooBig(size, limit)
	}
	return nil
}

func tooBig(size, limit int64) error {
	return &result.ProtocolError{
		Code: result.StatusMessageTooBig,
		What: fmt.Sprintf("a message has at least %d bytes, more than the size limit of %d", size, limit),
	}
}

// add appends a piece. What it gathers in grows by doubling, but not beyond the
// limit, if there is one.
func (w *whole) add(p []byte, limit int64) {
	if w.own == nil || w.n+len(p) > len(w.own.Mem) {
		room := 2 * w.n
		if limit >= 0 {
			room = int(min(int64(room), limit))
		}
		own := bufpool.Get(max(w.n+len(p), room))
		if w.own != nil {
			copy(own.Mem, w.own.Mem[:w.n])
			w.own.Free()
		}
		w.own = own
	}
	w.n += copy(w.own.Mem[w.n:], p)
}

// reset gives the memory of the last message back.
func (w *whole) reset() {
	if w.own == nil && w.typ == 0 {
		return
	}
	w.own.Free()
	w.own, w.n, w.typ = nil, 0, 0
}

// recall gives the memory of a message back that was lent whole.
func (w *whole) recall() {
	if w.typ == 0 && w.own != nil {
		w.reset()
	}
}

// message returns the next whole message. Its bytes are lent until the next
// call.
func (r *reader) message(ctx context.Context) (Message, error) {
	r.whole.recall()
	for {
		if r.attention.Load() != 0 {
			if err := r.attend(ctx); err != nil {
				return Message{}, err
			}
		}
		f, err := r.next(ctx)
		if err != nil {
			return Message{}, err
		}
		w := &r.whole
		if w.skip {
			w.skip = !f.Last
			continue
		}
		if size := int64(w.n) + int64(len(f.Payload)); r.limit >= 0 && size > r.limit {
			return Message{}, tooBig(size, r.limit)
		}
		if f.First && f.Last {
			return Message{Type: f.Type, Data: f.Payload}, nil
		}
		w.typ = f.Type
		w.add(f.Payload, r.limit)
		if f.Last {
			m := Message{Type: w.typ, Data: w.own.Mem[:w.n:w.n]}
			w.typ, w.n = 0, 0
			return m, nil
		}
	}
}

// burst yields those messages at hand that are whole, small, in one frame and
// wanted by no operator, as most traffic is: they are lent as they lie in the
// buffer, with no call per message but yield. It returns false once yield does.
func (r *reader) burst(yield func(Message, error) bool) bool {
	in := r.intake
	if in.frame.typ != 0 || r.chain.more != 0 {
		return true
	}
	for r.attention.Load() == 0 {
		b := in.buf[in.pos:in.end]
		if len(b) < 2 {
			return true
		}
		head, n := 2, int(b[1])
		if n >= 126 {
			if n > 126 || len(b) < 4 {
				return true
			}
			head, n = 4, int(b[2])<<8|int(b[3])
			if n < 126 {
				return true
			}
		}
		if n > len(b)-head || n > int(r.direct) {
			return true
		}
		m := Message{Data: b[head : head+n : head+n]}
		switch b[0] {
		case 0x80 | byte(Binary):
			m.Type = Binary
		case 0x80 | byte(Text):
			if !wire.Valid(m.Data) {
				return true
			}
			m.Type = Text
		default:
			return true
		}
		in.pos += head + n
		if !yield(m, nil) {
			return false
		}
	}
	return true
}

// spoiling poisons what yield was lent.
func (r *reader) spoiling(yield func(Message, error) bool) func(Message, error) bool {
	return func(m Message, err error) bool {
		defer r.spoil(m)
		return yield(m, err)
	}
}

// spoil poisons lent messages, except those that lie in an operator's memory.
func (r *reader) spoil(lent ...Message) {
	if !raceDetector || r.chain.some {
		return
	}
	for _, m := range lent {
		if m.own == nil {
			bufpool.Poison(m.Data)
		}
	}
}
