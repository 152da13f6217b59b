package stream

import (
	"context"
	"time"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/result"
)

// A fanout takes the messages of a connection and gives each to all lanes. It
// runs while there are any; what the last one was not given is kept for whoever
// takes messages next.
type fanout struct {
	audience
	c     *Conn
	ctx   *tenure // ends when the last lane has left
	hand  *hand   // nil while nothing is at hand
	guess guess
}

// subscribe adds a lane to the fan-out, which starts with the first. After the
// end of the stream the lane gets that alone.
func (c *Conn) subscribe(l lane) error {
	if err := c.source.keep(); err != nil {
		return err
	}
	version, start, err := c.source.join(l, nil)
	switch {
	case err == errOver && c.ended():
		l.end(c.ending(context.Background()))
	case err == errOver:
		go func() { l.end(c.ending(context.Background())) }() // ends with the connection
	case err != nil:
		return err
	case start:
		c.fanOut(l, version)
	}
	return nil
}

// fanOut starts the fan-out for its first lane, the only one at this version.
func (c *Conn) fanOut(l lane, version uint32) {
	f := newFanout(c)
	f.lanes, f.seen = []member{{lane: l}}, version // it need not settle, and its stack stays small
	go f.run()                                     // ends with the last lane or with the stream
}

func newFanout(c *Conn) *fanout {
	f := &fanout{c: c}
	f.audience.g, f.audience.s = f, &c.source
	return f
}

// run is the fan-out's goroutine.
func (f *fanout) run() {
	whole := false
	defer func() {
		if !whole { // a callback ended the goroutine
			err := &result.General{Err: errGoexit}
			f.c.abort(result.StatusInternalError, "", with(err))
			f.c.r.finish(err)
			for !f.end(err) {
				f.settle()
			}
			f.shut()
		}
	}()
	for f.begin() {
		over, err := f.take()
		f.settle() // on this stack, so that the other stays small
		f.shut()
		if over && f.end(err) {
			break
		}
	}
	whole = true
	f.c.left()
}

// begin makes the fan-out the one who takes. It returns false if there is no lane
// any more: whatever is the taker's is not touched from then on.
func (f *fanout) begin() bool {
	r, s := &f.c.r, &f.c.source
	r.idle, r.current = nil, nil // what a Reader has left may lie in the buffer
	r.letGo()
	for {
		f.ctx = &tenure{c: f.c}
		switch s.begin(f.ctx.end) {
		case wanted:
			r.idle, r.assemble, r.watched, r.tag = f.rest, true, false, s.adopted().label()
			return true
		case alone:
			return false
		}
		f.settle() // on this stack, so that the other stays small
	}
}

// end tells all lanes, and those that come later, that the stream has ended. It
// returns false if the last lane has left.
func (f *fanout) end(err error) bool {
	f.c.r.idle = nil
	lanes, ok := f.c.source.end()
	for _, l := range lanes {
		l.end(err)
	}
	return ok
}

// take takes messages until the last lane has left or the stream is over. The
// error is the one to report then, nil after a success.
func (f *fanout) take() (over bool, err error) {
	s := &f.c.source
	rested := false // no lane has gathered anything
	for {
		f.settle() // on this stack, so that the other stays small
		switch {
		case !f.wanted():
			return false, nil
		case len(s.kept) > 0:
			f.giveKept()
			rested = false
		case s.over && !rested:
			f.rest()
			rested = true //
		case s.over:
			err = f.c.ending(f.ctx)
			return f.ctx.Err() == nil, err
		default:
			f.read()
		}
	}
}

// read takes what is at hand, or waits for more.
func (f *fanout) read() {
	r := &f.c.r
	if r.pos < r.end && f.burst() {
		return
	}
	f.shut()
	if r.attention.Load() != 0 {
		f.rest()
	}
	begun, err := r.between(f.ctx)
	if begun {
		err = f.one()
	}
	if _, left := err.(*stopped); err != nil && !left {
		r.finish(err)
	}
}

// burst takes and gives what lies whole in the buffer, and reports whether that was
// anything.
func (f *fanout) burst() bool {
	r := &f.c.r
	h := f.openBatch()
	if r.burst(h.add); h.n == 0 {
		return false
	}
	if f.settle(); f.ready(h) {
		f.share(h)
	}
	return true
}

// one takes and gives the next message, of which something is at hand, and those
// that lie whole behind it.
func (f *fanout) one() error {
	r := &f.c.r
	m, err := r.message(f.ctx)
	if err != nil {
		return err
	}
	assembled, inPlace := r.msg.lends(), !r.chain.some
	if assembled {
		m = r.msg.hand(m)
	}
	var h *hand
	if inPlace && !assembled {
		h = f.openBatch()
	} else {
		h = f.open(1)
	}
	if more := h.add(m, nil); assembled {
		h.messages[0] = m
	} else if more {
		r.burst(h.add)
	}
	switch f.settle(); {
	case !f.ready(h):
	case assembled:
		f.giveOwned(h.messages[:1])
	case inPlace:
		f.share(h)
	default:
		f.give(h.messages[:1])
	}
	return nil
}

// most returns how many messages may be taken at a time: up to a number, and as many as
// the reader's buffer has tickets for, if it is shared.
func (f *fanout) most(n int) int {
	if left := f.c.r.slab.Left(); left > 0 {
		return min(n, left)
	}
	return n
}

// wanted reports whether to go on. Once the last lane has left, the fan-out begins
// anew, also where another lane has come.
func (f *fanout) wanted() bool { return len(f.lanes) > 0 && f.ctx.Err() == nil }

// ready reports whether what is at hand is to be given next. If the last lane
// left while it came, it is kept, behind what that one was not given.
func (f *fanout) ready(h *hand) bool {
	s := &f.c.source
	if f.wanted() && len(s.kept) == 0 {
		return true
	}
	s.keepLast(h.messages[:h.n])
	return false
}

// A buffer is only shared for messages that are worth it, as the last of them
// keeps all of it. Whatever else the peer sends in between, n messages in a queue
// keep at most eight times their bytes, or 8 KiB for each.
const (
	worthMessages = 16
	worthEach     = 8 << 10
	worthBytes    = 8
)

// worth reports whether n messages of so many bytes may keep a buffer of a size.
func worth(n, bytes, size int) bool {
	return worthBytes*bytes >= size || n >= worthMessages && worthEach*n >= size
}

// share gives the messages at hand, and the reader's buffer with them if they are worth
// it and there is one lane to own them.
func (f *fanout) share(h *hand) {
	r := &f.c.r
	messages := h.messages[:h.n]
	if !f.ownable(h) {
		f.give(messages)
		return
	}
	for i := range messages {
		messages[i].own, messages[i].ticket = r.slab.Buffer(), r.slab.Ticket()
	}
	if !h.whole {
		f.give(messages)
		return
	}
	besideOf(r.own).used++
	f.guess = f.guess.after(h.n, h.most)
	f.giveBatch(batch{messages, h.bytes, r.own})
}

// ownable reports whether the messages at hand may be given away with the reader's
// buffer.
func (f *fanout) ownable(h *hand) bool {
	r := &f.c.r
	if len(f.lanes) != 1 || !f.lanes[0].blocks() {
		return false
	}
	if r.slab.Buffer() == nil && !worth(h.n, h.bytes, len(r.buf)) {
		return false
	}
	return r.share() && r.slab.Left() >= h.n
}

// give hands messages to all lanes. They are lent, or there is one lane, which
// owns them then.
func (f *fanout) give(messages []Message) {
	f.audience.give(messages)
	f.c.r.spoil(messages...)
}

// giveKept hands over what was kept.
func (f *fanout) giveKept() {
	s := &f.c.source
	if f.c.r.attention.Load() != 0 {
		if err := f.attend(); err == errOver {
			s.drop()
			return
		} else if err != nil {
			return
		}
		if f.settle(); !f.wanted() {
			return
		}
	}
	h := f.open(handMax)
	h.n = copy(h.messages[:], s.kept)
	if s.kept = s.kept[h.n:]; len(s.kept) == 0 {
		s.kept = nil
	}
	for i := range h.messages[:h.n] {
		h.messages[i].tag = f.c.r.tag
	}
	f.giveOwned(h.messages[:h.n])
}

// attend waits while the connection is paused. All get what came before.
func (f *fanout) attend() error {
	f.rest()
	return f.c.r.attend(f.ctx)
}

// halted reports that delivery is paused, or that the last lane has left.
func (f *fanout) halted() bool { return f.c.r.attention.Load() != 0 }

// quit is closed after CloseNow.
func (f *fanout) quit() <-chan struct{} { return f.c.quit.done() }

func (f *fanout) lose(messages []Message) { release(messages) }

// shared returns the reader's buffer, if its messages are given away.
func (f *fanout) shared() *bufpool.Buffer { return f.c.r.slab.Buffer() }

// stalled is called by a lane that has waited for its subscriber for a while:
// control frames are looked after meanwhile, and those lanes that never wait hand
// on what they have gathered.
func (f *fanout) stalled() {
	f.c.r.ahead.arm()
	f.restEasy()
}

// A tenure is the time for which the fan-out takes messages: until its last lane has
// left. It is the context of its reads, and costs less than one of package context.
type tenure struct {
	c    *Conn
	over event
}

func (t *tenure) end() {
	t.over.fire()
	t.c.t.interrupt()
}

// Err returns context.Canceled once the last lane has left.
func (t *tenure) Err() error {
	if t.over.fired() {
		return context.Canceled
	}
	return nil
}

func (t *tenure) Done() <-chan struct{}          { return t.over.done() }
func (*tenure) Deadline() (_ time.Time, ok bool) { return time.Time{}, false }
func (*tenure) Value(any) any                    { return nil }
