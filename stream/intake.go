package stream

import (
	"sync"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// An intake is what a reader has while bytes are on their way: the buffer that
// they lie in, and how far they are parsed. Connections have one only while
// there is something in it.
type intake struct {
	own  *bufpool.Buffer // holds buf, nil while nothing is buffered
	slab bufpool.Slab    // own, once messages in it were given away
	buf  []byte          // all of own's memory
	pos  int             // buf[pos:end] waits to be parsed; pos is the consumer's
	end  int

	frame frame // the data frame and message under way
	whole whole // the message under assembly
}

// nothing is the intake of all connections that have none. It is never written
// to.
var nothing intake

var intakes = sync.Pool{New: func() any { return new(intake) }}

// open sees that there is an intake to write to.
func (r *reader) open() {
	if r.intake == &nothing {
		checkNothing()
		r.intake = intakes.Get().(*intake)
	}
}

// rest gives the intake back, if there is nothing in it.
func (r *reader) rest() {
	in := r.intake
	if in == &nothing || in.own != nil || in.frame.typ != 0 || in.whole != (whole{}) || r.chain.more > 0 {
		return
	}
	*in = intake{}
	intakes.Put(in)
	r.intake = &nothing
}
