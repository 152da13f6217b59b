package stream

import (
	crand "crypto/rand"
	"math/rand/v2"
	"sync"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
)

const (
	roomLimit    = 192 << 10 // bytes of data frames that may wait before senders do
	writeSize    = 256 << 10 // about what is written at once, so that control frames get between
	controlLimit = 16 << 10  // bytes of operators' control frames that may wait
	pongLimit    = 2 << 10   // bytes of control frames behind which only the latest Ping is answered
)

// An outbox is the frames that wait to be written. It does no I/O, takes no lock,
// starts no goroutine and reads no clock: the shell in writer.go puts frames in,
// writes what next returns, and tells with took how much of it the kernel has.
//
// Data frames, and the Close frame behind them, leave in the order in which they
// came. Their bytes are counted: a message whose frames end at or before written
// is with the kernel, and one that ends behind it is not, whatever happens
// then. Control frames are not counted. They overtake data wherever a frame ends.
//
// "Control frames (see Section 5.5) MAY be injected in the middle of a fragmented
// message."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.4
type outbox struct {
	phase   boxPhase
	masks   bool // the frames are a client's; never changes
	ping    pingPhase
	recent  int32    // bytes that the last round of data had
	queued  int64    // bytes of data frames, and of the Close frame
	written int64    // bytes of those that the kernel took
	taken   int64    // bytes of all frames that it took
	waiting *backlog // nil while nothing waits
	counts  outboundCounts
}

// A pingPhase tells of the last Ping that was marked, which an operator's are.
type pingPhase uint8

const (
	pingNone   pingPhase = iota // there is none, or the shell knows of it
	pingWaits                   // it waits
	pingLeaves                  // it lies in what next returned
)

// A boxPhase tells what may still be put into an outbox.
type boxPhase uint8

const (
	boxOpen     boxPhase = iota // the next message
	boxWithin                   // a message was begun: its fragments
	boxTorn                     // a message was begun and given up: the Close frame
	boxFinished                 // the Close frame is there: nothing but Pongs
	boxBroken                   // nothing can be written any more: nothing
)

// A backlog is what an outbox has while something waits.
type backlog struct {
	data    line
	control line
	pong    []byte // the frame of the Pong that is due behind those in control; empty if none is
	lent    *line  // where what next returned lies; nil again once took is called
	keys    *rand.ChaCha8
}

// A line is frames in the order in which they are written: what is being written
// stays as it is, and the rest gathers.
type line struct{ leaving, gathering frames }

var backlogs = sync.Pool{New: func() any { return new(backlog) }}

// open returns the backlog to add to.
func (o *outbox) open() *backlog {
	if o.waiting == nil {
		o.waiting = backlogs.Get().(*backlog)
	}
	return o.waiting
}

// roomy reports whether data may be added; otherwise it must wait for the network.
func (o *outbox) roomy() bool {
	return o.waiting == nil || o.waiting.data.gathering.n < roomLimit
}

// takes reports whether data frames are taken.
func (o *outbox) takes() bool { return o.phase <= boxWithin }

// over reports that no more bytes will be written: what was not, is not sent.
func (o *outbox) over() bool {
	return o.phase == boxBroken && o.waiting == nil || o.phase == boxFinished && o.written == o.queued
}

// put adds a data frame. It must be one that the outbox takes.
func (o *outbox) put(h wire.Header, payload []byte) {
	o.phase = boxWithin
	if h.Fin {
		o.phase = boxOpen
		o.counts.messages++
	}
	o.queued += int64(o.encode(&o.open().data.gathering, int(o.recent), h, payload))
}

// tear tells that the message that was begun gets no end, and reports whether
// there was one.
func (o *outbox) tear() bool {
	if o.phase != boxWithin {
		return false
	}
	o.phase = boxTorn
	return true
}

// ask adds a Ping or a Pong of an operator's or of the program's. It returns how
// many bytes wait already if those are too many. The place of a Ping that is
// marked is told.
func (o *outbox) ask(t Type, payload []byte, marked bool) (waiting int) {
	control := &o.open().control.gathering
	if control.n > controlLimit {
		return control.n
	}
	o.encode(control, 0, wire.Header{Fin: true, Opcode: byte(t)}, payload)
	if t == Pong {
		o.counts.pongs++
		return 0
	}
	o.counts.pings++
	if marked {
		o.ping = pingWaits
	}
	return 0
}

// answer adds the Pong for a Ping. Where many control frames wait already, those
// after them give way to the latest.
//
// "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in
// response to previous Ping frame(s), the endpoint MAY elect to send a Pong
// frame for only the most recently processed Ping frame."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func (o *outbox) answer(payload []byte) {
	if o.phase == boxBroken {
		return
	}
	b := o.open()
	h := wire.Header{Fin: true, Opcode: byte(Pong)}
	if len(b.pong) == 0 && b.control.gathering.n < pongLimit {
		o.encode(&b.control.gathering, 0, h, payload)
		o.counts.pongs++
		return
	}
	if len(b.pong) == 0 {
		o.counts.pongs++
	}
	b.pong = b.pong[:cap(b.pong)]
	if b.pong == nil {
		b.pong = make([]byte, wire.MaxHeader+wire.MaxControl)
	}
	b.pong = b.pong[:o.frame(b.pong, h, payload)]
}

// finish adds the Close frame behind everything else.
func (o *outbox) finish(payload []byte) {
	if o.phase >= boxFinished {
		return
	}
	o.queued += int64(o.encode(&o.open().data.gathering, 0, wire.Header{Fin: true, Opcode: byte(Close)}, payload))
	o.phase = boxFinished
}

// fail tells that nothing can be written any more. What is lent to be written stays
// until took is called.
func (o *outbox) fail() {
	if o.phase != boxBroken {
		o.phase = boxBroken
		o.rest()
	}
}

// next returns what is to be written next, and the buffer in which it lies; no
// buffer if there is nothing. Its bytes stay as they are until took is called,
// which must be before next is called again.
func (o *outbox) next() (own *bufpool.Buffer, p []byte) {
	b := o.waiting
	if b == nil {
		return nil, nil
	}
	at, most := &b.control, writeSize
	if at.leaving.n == 0 {
		urgent := at.gathering.n > 0 || len(b.pong) > 0
		switch {
		case urgent && b.data.leaving.between():
			at.gathering.add(b.pong)
			b.pong = b.pong[:0]
			at.leave()
			if o.ping == pingWaits {
				o.ping = pingLeaves
			}
		default:
			at = &b.data
			if urgent {
				most = 1 // up to where those may overtake
			}
			if at.leaving.n == 0 && at.leave() > 0 {
				o.recent = int32(min(at.leaving.n, writeSize))
			}
		}
	}
	if at.leaving.n == 0 {
		o.rest()
		return nil, nil
	}
	b.lent = at
	return at.leaving.own, at.leaving.piece(most)
}

// took tells that the first n bytes of what next returned were written. It reports
// whether the Close frame is among those.
func (o *outbox) took(n int) (closed bool) {
	b := o.waiting
	at := b.lent
	b.lent = nil
	at.leaving.take(n)
	o.taken += int64(n)
	if at == &b.data {
		o.written += int64(n)
		closed = o.phase == boxFinished && o.written == o.queued && n > 0
	}
	if o.phase == boxBroken {
		o.rest()
	}
	return closed
}

// rest gives the memory back that nobody writes from.
func (o *outbox) rest() {
	b := o.waiting
	if b == nil {
		return
	}
	for _, at := range []*line{&b.data, &b.control} {
		at.gathering.free()
		if at != b.lent {
			at.leaving.free()
		}
	}
	b.pong = b.pong[:0]
	if b.lent == nil {
		o.waiting = nil
		backlogs.Put(b)
	}
}

// leave lets what has gathered be written, and returns how many bytes that is.
// What was written before must be gone.
func (l *line) leave() int {
	l.leaving, l.gathering = l.gathering, l.leaving
	return l.leaving.n
}

// encode adds a frame to f and returns its size. Memory for at least so many bytes
// is borrowed if there is none yet.
func (o *outbox) encode(f *frames, least int, h wire.Header, payload []byte) int {
	room := f.extend(wire.MaxHeader+len(payload), least)
	size := o.frame(room, h, payload)
	f.n += size
	f.ended()
	return size
}

// frame writes a frame to the front of room and returns its size.
//
// "The masking key is a 32-bit value chosen at random by the client. When
// preparing a masked frame, the client MUST pick a fresh masking key from the
// set of allowed 32-bit values. The masking key needs to be unpredictable."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3
func (o *outbox) frame(room []byte, h wire.Header, payload []byte) int {
	h.Length = int64(len(payload))
	if o.masks {
		h.Masked, h.Key = true, o.waiting.key()
	}
	head := len(wire.Append(room[:0], h))
	if h.Masked {
		wire.Mask(room[head:], payload, h.Key)
	} else {
		copy(room[head:], payload)
	}
	return head + len(payload)
}

// key draws from a ChaCha8 stream that the system's random source seeded.
func (b *backlog) key() uint32 {
	if b.keys == nil {
		var seed [32]byte
		crand.Read(seed[:])
		b.keys = rand.NewChaCha8(seed)
	}
	return uint32(b.keys.Uint64())
}
