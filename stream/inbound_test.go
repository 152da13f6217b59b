package stream

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// RaceDetector reports whether the tests run under it.
const RaceDetector = raceDetector

// A Drive takes the bytes of a peer through an inbound as the reader does, with
// no transport: Next says how many of them come, to whom and when. It holds the
// inbound to what must be true after each step; the first thing that is not
// stands in Fault.
type Drive struct {
	Role     Role
	Limit    int64
	Owned    byte // reserved bits that an operator owns
	All      bool // an operator wants every message
	Assemble bool // the consumer takes whole messages, and otherwise pieces
	Burst    bool // it asks for a burst between two of them, as All does
	Give     bool // it gives messages away, as subscriptions do
	Bytes    []byte
	Next     func() Step

	Messages []Message
	Controls []Control
	Scans    []Scan
	Code     result.StatusCode // of the breach that the consumer came to
	Fault    string

	in      inbound
	taken   int // of Bytes
	over    bool
	scanErr error
	step    *Step
	lent    []lentBytes
	given   []lentBytes
	under   Message // what came of a message that is taken in pieces
	open    bool    // a piece of a frame came, and not its end
}

// A Step is one read. N may be 0: a read may be called back.
type Step struct {
	N           int
	Ahead       bool // by the look-ahead, while the consumer is away
	Size, Least int  // of the buffer, and of its room
	LetGo       bool // the consumer holds no buffer while it waits
}

// A Control is a control frame and where it begins.
type Control struct {
	At   int64
	Type Type
	Data string
}

// A Scan is what was known once the scan cursor came to its end.
type Scan struct {
	Received int64
	Controls int
}

// A lentBytes is a message or piece, and what it must stay.
type lentBytes struct {
	Message
	want []byte
}

func (d *Drive) fault(format string, args ...any) {
	if d.Fault == "" {
		d.Fault = fmt.Sprintf(format, args...)
	}
}

// Run takes all bytes, or those up to the end of the stream.
func (d *Drive) Run() {
	in := &d.in
	in.parsing, in.role, in.limit, in.assemble = &idle, d.Role, d.Limit, d.Assemble
	in.chain.rsv, in.chain.all, in.chain.some = d.Owned, d.All, d.All || d.Owned != 0
	err := error(nil)
	for err == nil && d.Fault == "" {
		if err = d.burst(); err != nil {
			break
		}
		if d.Assemble {
			err = d.message()
		} else {
			err = d.piece()
		}
		d.away()
	}
	if breach, ok := err.(*result.ProtocolError); ok {
		d.Code = breach.Code
	} else if err != errOver && d.Fault == "" {
		d.fault("the error is %v", err)
	}
	if d.scanErr != nil && d.Code == 0 {
		d.fault("the scan cursor found %v, and the parse cursor nothing", d.scanErr)
	}
	d.end()
}

// end gives everything back, as the end of a connection does.
func (d *Drive) end() {
	d.stale()
	d.in.clear()
	if in := &d.in; in.own != nil || in.behind != nil || in.msg != (assembler{}) || in.waiting() != 0 {
		d.fault("a cleared inbound holds %v, %d segments, %+v; %d bytes wait", in.own, len(in.behind), in.msg, in.waiting())
	}
	if !reflect.DeepEqual(&idle, new(parsing)) {
		d.fault("the parsing that stands for none was written to: %+v", idle)
	}
	for _, m := range d.given {
		if !bytes.Equal(m.Data, m.want) {
			d.fault("a message of %d bytes changed before it was released", len(m.want))
		}
		m.Release()
	}
}

// burst takes what burst takes.
func (d *Drive) burst() error {
	if !d.Burst || !d.Assemble || d.Role != Client || d.All || d.in.own == nil {
		return nil
	}
	most := inPlace
	if d.Limit >= 0 {
		most = int(min(inPlace, d.Limit))
	}
	var attention atomic.Int32
	d.in.burst(most, &attention, nil, func(m Message, _ error) bool {
		d.take(m)
		d.away()
		return true
	})
	return nil
}

// message takes a message as reader.message does.
func (d *Drive) message() error {
	d.stale()
	d.in.msg.recall()
	for {
		f, err := d.frame()
		if err != nil {
			return err
		}
		a := &d.in.msg // not before: what there is to parse with may be new
		if size := int64(a.n) + int64(len(f.Payload)); d.Limit >= 0 && size > d.Limit {
			return tooBig(size, d.Limit)
		}
		if f.First && f.Last && a.n == 0 {
			d.take(Message{Type: f.Type, Data: f.Payload})
			return nil
		}
		a.typ = f.Type
		a.add(f.Payload, d.Limit)
		if f.Last {
			d.take(a.message())
			return nil
		}
	}
}

// take notes a whole message, which is lent or given away.
func (d *Drive) take(m Message) {
	l := lentBytes{m, slices.Clone(m.Data)}
	d.Messages = append(d.Messages, Message{Type: m.Type, Data: l.want})
	if !d.Give || len(m.Data) == 0 {
		d.lent = append(d.lent, l)
		return
	}
	in := &d.in
	switch {
	case in.msg.lends():
		l.Message = in.msg.hand(m)
	case len(in.buf) >= bufpool.SlabSize && (in.slab.Buffer() == nil || in.slab.Left() > 0):
		if in.slab.Buffer() == nil {
			in.slab.Open(in.own)
			besideOf(in.own).used = 0
		}
		l.own, l.ticket = in.own, in.slab.Ticket()
	default:
		d.lent = append(d.lent, l)
		return
	}
	d.given = append(d.given, l)
}

// piece takes a piece, and puts the message together.
func (d *Drive) piece() error {
	d.stale()
	f, err := d.frame()
	if err != nil {
		return err
	}
	if f.Begin == d.open || f.First != (d.under.Type == 0) || f.Last && !f.End || f.Type != d.under.Type && !f.First {
		d.fault("a piece %+v, behind one of %v, in a frame: %v", f, d.under.Type, d.open)
	}
	d.open, d.under.Type = !f.End, f.Type
	d.under.Data = append(d.under.Data, f.Payload...)
	d.lent = append(d.lent, lentBytes{Message{Data: f.Payload}, slices.Clone(f.Payload)})
	if f.Last {
		d.Messages = append(d.Messages, d.under)
		d.under = Message{}
	}
	return nil
}

// frame returns the next piece, below operators that change none.
func (d *Drive) frame() (f Frame, err error) {
	in := &d.in
	for !in.frame.open {
		if err := d.header(); err != nil {
			return f, err
		}
	}
	for {
		var want int
		if f, want, err = in.piece(); err != nil {
			return f, err
		}
		if want == 0 {
			break
		}
		if err := d.fill(want); err != nil {
			return f, err
		}
	}
	f.RSV &^= d.Owned
	if !in.frame.plain {
		if f.First {
			in.frame.text.Reset()
		}
		if err := in.checkText(f.Type, f.Payload); err != nil {
			return f, err
		}
	}
	if f.Last {
		err = in.checkEnd(f)
	}
	return f, err
}

// header takes the header at the parse cursor or a control frame.
func (d *Drive) header() error {
	in := &d.in
	h, n, err := in.header()
	switch {
	case err != nil:
		return err
	case n == 0:
		return d.fill(headerSize(in.buf[in.pos:in.end]))
	case h.Opcode < byte(Close):
		in.pos += n
		return in.openData(h)
	}
	size := n + int(h.Length)
	for in.end-in.pos < size {
		if err := d.fill(size); err != nil {
			return err
		}
	}
	at := in.base + int64(in.pos)
	payload := unmasked(h, in.buf[in.pos+n:in.pos+size])
	in.pos += size
	d.control(at, Type(h.Opcode), payload)
	if Type(h.Opcode) == Close {
		d.over = true
		return errOver
	}
	return nil
}

// control notes a control frame, if it is new; both cursors must say the same of
// one.
func (d *Drive) control(at int64, t Type, payload []byte) {
	c := Control{at, t, string(payload)}
	if n := len(d.Controls); n == 0 || at > d.Controls[n-1].At {
		d.Controls = append(d.Controls, c)
	} else if !slices.Contains(d.Controls, c) {
		d.fault("one cursor came to %v, the other one to %v", c, d.Controls)
	}
}

// due returns the next step, nil once nothing more comes.
func (d *Drive) due() *Step {
	if d.over || d.taken == len(d.Bytes) {
		return nil
	}
	if d.step == nil {
		s := d.Next()
		d.step = &s
	}
	return d.step
}

// come copies what comes into the room, and returns how much did.
func (d *Drive) come(p []byte) int {
	n := copy(p, d.Bytes[d.taken:min(d.taken+d.step.N, len(d.Bytes))])
	d.taken += n
	d.step = nil
	return n
}

// away lets the look-ahead read for as long as it is its turn.
func (d *Drive) away() {
	for s := d.due(); s != nil && s.Ahead; s = d.due() {
		d.in.cameAhead(d.come(d.in.roomAhead(s.Size)))
		d.scan()
	}
}

// scan moves the scan cursor to its end.
func (d *Drive) scan() {
	var space [wire.MaxHeader + wire.MaxControl]byte
	for !d.over {
		at, t, payload, err := d.in.scan(&space)
		if err != nil {
			d.scanErr, d.over = err, true
			return
		}
		if t == 0 {
			break
		}
		d.control(at, t, payload)
		d.over = t == Close
	}
	d.Scans = append(d.Scans, Scan{d.in.received, len(d.Controls)})
}

// fill gets more bytes for the consumer, as reader.fill does.
func (d *Drive) fill(want int) error {
	in := &d.in
	d.away()
	d.stale()
	in.catchUp()
	for !in.advance(want) {
		s := d.due()
		if s == nil {
			return errOver
		}
		if s.Ahead {
			d.away()
			continue
		}
		if s.LetGo && in.pos == in.filled {
			in.drop()
			in.rest()
		}
		direct := in.direct()
		p := in.room(want, s.Size, s.Least)
		if len(p) == 0 || !direct && want < largeFrame && in.end-in.pos+len(p) < want {
			d.fault("there are %d bytes of room behind %d, of the %d wanted", len(p), in.end-in.pos, want)
			return errOver
		}
		n := d.come(p)
		if in.came(n); n > 0 {
			break
		}
	}
	if at := in.offset(); at < in.parsed || at > in.received || in.received != int64(d.taken) {
		d.fault("the parse cursor is at %d, was at %d, of %d bytes, %d of them received", at, in.parsed, d.taken, in.received)
	}
	return nil
}

// stale ends what is lent, which must be as it was.
func (d *Drive) stale() {
	for _, l := range d.lent {
		if !bytes.Equal(l.Data, l.want) {
			d.fault("%d bytes changed while they were lent", len(l.want))
		}
	}
	d.lent = d.lent[:0]
}
