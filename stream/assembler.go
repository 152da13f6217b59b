package stream

import (
	"fmt"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/result"
)

// An assembler makes one message of pieces. A message of one piece needs none:
// it is lent as it lies in the buffer, or as an operator made it.
type assembler struct {
	skip bool // the rest of the message under way is not wanted
	typ  Type // of the message under assembly, zero if there is none
	own  *bufpool.Buffer
	n    int // bytes of own that are filled
	read int // bytes of those that were read there and not validated
}

// firstGrasp is how much memory a large frame gets at first, in bytes: who
// announces more has to send it.
const firstGrasp = 64 << 10

// announce is told of each data frame before its payload comes.
func (a *assembler) announce(f *frame, limit int64) error {
	if !f.plain || a.skip || limit < 0 {
		return nil
	}
	if size := int64(a.n) + f.left; size > limit || size < 0 {
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

// room returns memory to read into behind what is there, for what is left of the
// frame or less. A frame that does not end its message leaves room for the next one,
// as add does.
func (a *assembler) room(f *frame, limit int64) []byte {
	if a.own == nil || a.n == len(a.own.Mem) {
		size := a.n + int(min(f.left, int64(max(firstGrasp, a.n))))
		if !f.fin {
			size = max(size, doubled(a.n, limit))
		}
		a.grow(size)
	}
	p := a.own.Mem[a.n:]
	return p[:min(int64(len(p)), f.left)]
}

// came says that n bytes were read into the room.
func (a *assembler) came(n int) {
	a.n += n
	a.read += n
}

// fresh returns what was read there since it was last called.
func (a *assembler) fresh() []byte {
	if a.read == 0 {
		return nil
	}
	p := a.own.Mem[a.n-a.read : a.n]
	a.read = 0
	return p
}

// add appends a piece. What it gathers in grows by doubling, but not beyond the
// limit, if there is one.
func (a *assembler) add(p []byte, limit int64) {
	if a.own == nil || a.n+len(p) > len(a.own.Mem) {
		a.grow(max(a.n+len(p), doubled(a.n, limit)))
	}
	a.n += copy(a.own.Mem[a.n:], p)
}

// doubled returns twice as many bytes, or the limit if that is less and not negative.
func doubled(n int, limit int64) int {
	if limit < 0 {
		return 2 * n
	}
	return int(min(2*int64(n), limit))
}

func (a *assembler) grow(n int) {
	own := bufpool.Get(n)
	if a.own != nil {
		copy(own.Mem, a.own.Mem[:a.n])
		a.own.Free()
	}
	a.own = own
}

// message ends the message under assembly. Its bytes are lent until recall.
func (a *assembler) message() Message {
	m := Message{Type: a.typ, Data: a.own.Mem[:a.n:a.n]}
	a.typ, a.n = 0, 0
	return m
}

// hand gives the message that was lent away, its memory with it.
func (a *assembler) hand(m Message) Message {
	m.own, m.ticket = a.own, a.own.Only()
	a.own = nil
	return m
}

// lends reports that a message was lent, and was not recalled.
func (a *assembler) lends() bool { return a.typ == 0 && a.own != nil }

// recall takes the memory of a message back that was lent.
func (a *assembler) recall() {
	if a.lends() {
		a.reset()
	}
}

// reset gives all memory back.
func (a *assembler) reset() {
	if a.own == nil && a.typ == 0 {
		return
	}
	a.own.Free()
	a.own, a.n, a.typ, a.read = nil, 0, 0, 0
}
