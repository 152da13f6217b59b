package stream

import (
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/wire"
)

// burst yields those messages at hand that are whole, small, in one frame and
// wanted by no operator, as most traffic is: they are lent as they lie in the
// buffer, with no call per message but yield. It returns false once yield does.
func (in *inbound) burst(most int, attention *atomic.Int32, label *tag, yield func(Message, error) bool) bool {
	if in.begun() {
		return true
	}
	p := in.parsing
	for attention.Load() == 0 {
		b := p.buf[p.pos:p.end]
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
		if n > len(b)-head || n > most {
			return true
		}
		m := Message{Data: b[head : head+n : head+n], tag: label}
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
		p.pos += head + n
		in.passed++
		if !yield(m, nil) {
			return false
		}
	}
	return true
}
