package stream

import (
	"sync"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// An inbound turns the bytes that came into pieces of data frames and into
// control frames. It does no I/O, takes no lock and knows no clock: whoever
// reads asks for room, says how much came, and moves the cursors.
//
// All bytes that came and were not taken lie in one list of segments, in the
// order of the stream. Two cursors run over it. The parse cursor is the
// consumer's: it takes data frames apart, and control frames where it comes to
// them. The scan cursor runs ahead of it, from header to header, in search of
// control frames while the consumer is away; see scan.go.
//
// The consumer (the goroutine that ranges over All, the one that calls Reader,
// or the fan-out) owns what stands in parsing. Only what is said to be guarded
// is shared with whoever reads ahead: the reader's lock is held for it.
type inbound struct {
	rules
	*parsing // changes under the lock, by the consumer

	// Consumer only.
	assemble bool   // it takes whole messages, not pieces
	passed   uint64 // messages that were parsed to their end

	// Guarded by the reader's lock.
	filled   int       // bytes that came into parsing.buf; parsing.end follows
	behind   []segment // what came behind them
	received int64     // stream offset of the next byte to come
	scanned  int64     // stream offset of the next header to scan
	walked   uint64    // messages that end before the scan cursor
	parsed   int64     // stream offset that the consumer was known to have parsed up to
}

// rules are what a connection's frames are held to. They never change but for
// what chain says of itself.
type rules struct {
	role  Role
	limit int64 // of a message that is assembled; negative: none
	chain chain // of the operators
}

// A segment is a borrowed buffer and the bytes of the stream in it.
type segment struct {
	own  *bufpool.Buffer
	base int64 // stream offset of own.Mem[0]
	from int   // the bytes before it were taken
	end  int   // bytes that came
}

// parsing is what the consumer has while bytes are on their way: the segment at
// the parse cursor, as far as it knows it, and what it makes of the bytes.
// Connections have one only while there is something in it.
type parsing struct {
	own  *bufpool.Buffer // nil while nothing is buffered; changes under the lock
	buf  []byte          // all of own's memory
	base int64           // stream offset of buf[0]; changes under the lock
	pos  int             // buf[pos:end] waits to be parsed
	end  int
	slab bufpool.Slab // own, once messages in it were given away

	frame frame     // the data frame and message under way
	msg   assembler // the message under assembly
}

// idle is what all connections parse with that have nothing to parse. It is
// never written to.
var idle parsing

var parsings = sync.Pool{New: func() any { return new(parsing) }}

// open sees that there is a parsing to write to.
func (in *inbound) open() {
	if in.parsing == &idle {
		checkIdle()
		in.parsing = parsings.Get().(*parsing)
		in.base = in.received
	}
}

// rest gives the parsing back, if there is nothing in it.
func (in *inbound) rest() {
	p := in.parsing
	if p == &idle || p.own != nil || p.frame.typ != 0 || p.msg != (assembler{}) || in.chain.more > 0 {
		return
	}
	*p = parsing{}
	parsings.Put(p)
	in.parsing = &idle
}

// offset returns the stream offset of the parse cursor.
func (in *inbound) offset() int64 {
	switch {
	case in.own != nil && in.pos < in.filled:
		return in.base + int64(in.pos)
	case len(in.behind) > 0:
		return in.behind[0].base + int64(in.behind[0].from)
	}
	return in.received
}

// catchUp notes how far the consumer has come. What was parsed need not be
// scanned, nor the rest of a frame that is open.
func (in *inbound) catchUp() {
	in.parsed = in.offset()
	if at := behind(in.parsed, in.frame.left); at >= in.scanned {
		in.scanned, in.walked = at, in.passed
		if in.frame.open && in.frame.fin {
			in.walked++
		}
	}
}

// waiting returns how many bytes came that the consumer is not known to have
// parsed.
func (in *inbound) waiting() int { return int(in.received - in.parsed) }

// advance lets the consumer have more of what came, and reports whether there
// was any. It wants so many bytes from the parse cursor on in one piece: where
// they lie over the end of a segment, they are copied together.
func (in *inbound) advance(want int) bool {
	switch {
	case in.filled > in.end:
		in.end = in.filled
	case len(in.behind) == 0:
		return false
	case in.pos == in.end:
		in.next()
	default:
		in.join(want)
	}
	return true
}

// next moves the parse cursor to the segment behind the one at hand, all of
// which was parsed.
func (in *inbound) next() {
	in.drop()
	in.open()
	s := in.behind[0]
	in.forget(1)
	in.own, in.buf, in.base = s.own, s.own.Mem, s.base
	in.pos, in.end, in.filled = s.from, s.end, s.end
}

// join puts what is left of the segment at hand and what came behind it into a
// segment of their own: as much as is wanted, or all that came.
func (in *inbound) join(want int) {
	rest := in.buf[in.pos:in.end]
	came := int(in.received - in.base - int64(in.pos))
	n := min(max(want, len(rest)+1), came)
	own := bufpool.Get(n)
	filled, emptied := copy(own.Mem, rest), 0
	for filled < n {
		s := &in.behind[emptied]
		part := copy(own.Mem[filled:n], s.own.Mem[s.from:s.end])
		filled += part
		if s.from += part; s.from == s.end {
			s.own.Free()
			emptied++
		}
	}
	in.forget(emptied)
	in.replace(own, n)
}

// forget takes the first segments behind out of the list.
func (in *inbound) forget(n int) {
	clear(in.behind[:n])
	if in.behind = in.behind[n:]; len(in.behind) == 0 {
		in.behind = nil
	}
}

// replace makes own, which holds n bytes from the parse cursor on, the segment
// at hand.
func (in *inbound) replace(own *bufpool.Buffer, n int) {
	at := in.base + int64(in.pos)
	in.drop()
	in.own, in.buf, in.base = own, own.Mem, at
	in.pos, in.end, in.filled = 0, n, n
}

// leastRoom is what a read asks for at least: behind less than that it is
// better to move what is left of a segment.
const leastRoom = 4 << 10

// room returns memory for the next read of the consumer, to whom all that came
// is known: in the message under assembly, or in a buffer of so many bytes in
// which what is wanted from the parse cursor on will lie in one piece. The room
// has at least so many bytes, and ends where a buffer made for large frames was to:
// what comes behind them would have to be moved. A very large frame has to come,
// before it gets all of its memory.
func (in *inbound) room(want, size, least int) []byte {
	if in.direct() {
		in.drop()
		return in.msg.room(&in.frame, in.limit)
	}
	left := in.end - in.pos
	need := least
	if want >= largeFrame {
		need += min(want-left, max(firstGrasp, left))
	} else {
		need = max(want-left, least)
	}
	switch {
	case in.own == nil:
		in.borrow(max(size, need))
	case left == 0 && in.slab.Buffer() == nil && len(in.buf) >= max(size, need) && len(in.buf) <= 2*size:
		in.base = in.received
		in.pos, in.end, in.filled = 0, 0, 0
	case left == 0:
		in.drop()
		in.borrow(max(size, need))
	case len(in.buf)-in.end < need:
		in.move(left, max(size, left+need))
	}
	if size > readSize {
		return in.buf[in.end:min(max(size, in.end+need), len(in.buf))]
	}
	return in.buf[in.end:]
}

// move makes room for n bytes from the parse cursor on, of which so many came:
// at the front of the same buffer or, where messages in it were given away or it
// is too small, in another.
func (in *inbound) move(left, n int) {
	if in.slab.Buffer() != nil || len(in.buf) < n {
		own := bufpool.Get(n)
		copy(own.Mem, in.buf[in.pos:in.end])
		in.replace(own, left)
		return
	}
	copy(in.buf, in.buf[in.pos:in.end])
	in.base += int64(in.pos)
	in.pos, in.end, in.filled = 0, left, left
}

// roomAhead returns memory for a read while the consumer is away, behind all
// that came. It touches nothing that the consumer knows of. A segment is filled
// to a half at least, so that a peer that sends byte by byte does not make this
// side hold more than twice of what it sent.
func (in *inbound) roomAhead(size int) []byte {
	var mem []byte
	filled := 0
	if n := len(in.behind); n > 0 {
		mem, filled = in.behind[n-1].own.Mem, in.behind[n-1].end
	} else if in.own != nil && in.base+int64(in.filled) == in.received {
		mem, filled = in.buf, in.filled
	}
	if free := len(mem) - filled; free > 0 && free >= min(leastRoom, len(mem)/2) {
		return mem[filled:]
	}
	in.behind = append(in.behind, segment{own: bufpool.Get(size), base: in.received})
	return in.behind[len(in.behind)-1].own.Mem
}

// came says that the consumer read n bytes into the room that was returned last,
// and lets it know them.
func (in *inbound) came(n int) {
	if in.direct() {
		in.frame.left -= int64(n)
		in.msg.came(n)
	} else {
		in.filled += n
		in.end = in.filled
	}
	in.received += int64(n)
}

// cameAhead says that n bytes were read into the room ahead.
func (in *inbound) cameAhead(n int) {
	in.received += int64(n)
	last := len(in.behind) - 1
	if last < 0 {
		in.filled += n
		return
	}
	if in.behind[last].end += n; in.behind[last].end == 0 {
		in.behind[last].own.Free() // nothing came
		in.behind = in.behind[:last]
	}
}

func (in *inbound) borrow(n int) {
	in.open()
	in.own = bufpool.Get(n)
	in.buf, in.base = in.own.Mem, in.received
	in.pos, in.end, in.filled = 0, 0, 0
}

// drop gives the segment at hand back, or leaves it to the messages in it.
func (in *inbound) drop() {
	if in.own == nil {
		return
	}
	if in.slab.Buffer() != nil {
		in.slab.Seal()
	} else {
		in.own.Free()
	}
	in.own, in.buf = nil, nil
	in.pos, in.end, in.filled = 0, 0, 0
}

// direct reports that the next bytes belong to a large message under assembly,
// and to nothing else: they are read to where the message will lie.
func (in *inbound) direct() bool {
	return in.frame.direct && in.frame.left > 0 && in.assemble && !in.msg.skip &&
		in.pos == in.end && in.filled == in.end && len(in.behind) == 0
}

// clear drops all bytes that wait to be parsed, for good.
func (in *inbound) clear() {
	in.drop()
	for _, s := range in.behind {
		s.own.Free()
	}
	in.behind = nil
	in.scanned, in.parsed = in.received, in.received
	in.msg.reset()
}
