package stream

import (
	"context"
	"slices"

	"github.com/wsflow/wsflow/result"
)

// A lane is one connection's way into a subscription. The fan-out calls its
// methods, all from one goroutine.
type lane interface {
	// give hands over messages, lent ones or such as the lane owns from then
	// on, and returns how many were given to the subscriber: all of them, or
	// fewer and an error. Those that were not given stay the caller's. After
	// errLeft the lane leaves the source by itself, soon; after any other error
	// the caller sees to it.
	give(f *fanout, messages []Message) (given int, err error)
	// rest is called when no more messages are at hand for now. Its error is as
	// give's.
	rest(f *fanout) error
	// close is called once the lane has left. It returns what the lane has
	// gathered and not given.
	close() []Message
	// end says that no more messages come; err is nil after a success.
	end(err error)
	// blocks reports that give may wait.
	blocks() bool
	// owes reports that what the lane was given is not given to the subscriber
	// yet: when that has ended, the source is told with giveBack.
	owes() bool
}

// A fanout takes the messages of a connection and gives each to all lanes. It
// runs while there are any; what the last one was not given is kept for whoever
// takes messages next.
type fanout struct {
	c     *Conn
	ctx   context.Context // ends when the last lane has left
	lanes []member        // those of the source at this version
	seen  uint32          // the source's version
	short bool            // some member has an error
	hand  *hand           // nil while nothing is at hand
}

// A member is a lane as the fan-out knows it.
type member struct {
	lane
	err  error     // why it takes no more
	left []Message // what is at hand and was not given to it
}

// subscribe adds a lane to the fan-out, which starts with the first. After the
// end of the stream the lane gets that alone.
func (c *Conn) subscribe(l lane) error {
	if err := c.source.keep(); err != nil {
		return err
	}
	start, err := c.source.join(l)
	switch {
	case err == errOver && c.ended():
		l.end(c.ending(context.Background()))
	case err == errOver:
		go func() { l.end(c.ending(context.Background())) }() // ends with the connection
	case err != nil:
		return err
	case start:
		f := &fanout{c: c}
		go f.run() // ends with the last lane or with the stream
	}
	return nil
}

// run is the fan-out's goroutine.
func (f *fanout) run() {
	whole := false
	defer func() {
		if !whole { // a callback ended the goroutine
			err := &result.General{Err: errGoexit}
			f.c.abort(result.StatusInternalError, "", with(err))
			f.c.source.over = true
			for !f.end(err) {
				f.settle()
			}
		}
	}()
	for f.begin() {
		over, err := f.take()
		f.settle()
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
		ctx, cancel := context.WithCancel(context.Background())
		switch s.begin(func() { cancel(); f.c.t.interrupt() }) {
		case wanted:
			f.ctx = ctx
			r.idle, r.assemble, r.watched = f.rest, true, false
			return true
		case alone:
			cancel()
			return false
		}
		cancel()
		f.settle()
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
		f.settle()
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
	h := f.open(f.most())
	if r.burst(h.add); h.n > 0 {
		if f.settle(); f.ready(h) {
			f.share(h)
			f.give(h.messages[:h.n])
		}
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
	h := f.open(f.most())
	if h.add(m, nil); assembled {
		h.messages[0] = m
	} else if inPlace {
		r.burst(h.add)
	}
	switch f.settle(); {
	case !f.ready(h):
	case assembled:
		f.giveOwned(h.messages[:1])
	default:
		if inPlace {
			f.share(h)
		}
		f.give(h.messages[:h.n])
	}
	return nil
}

// most returns how many messages may be taken at a time: as many as the reader's
// buffer has tickets for, if it is shared.
func (f *fanout) most() int {
	if left := f.c.r.slab.Left(); left > 0 {
		return min(handMax, left)
	}
	return handMax
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
	before := s.kept
	s.kept = nil
	f.keep(h.messages[:h.n], before)
	return false
}

// A buffer is only shared for messages that are worth it, as the last of them
// keeps all of it: for so many at a time, or an eighth of its bytes. Whatever
// else the peer sends in between, n messages in a queue keep at most eight times
// their bytes and 8 KiB for each.
const (
	worthMessages = 16
	worthBytes    = 8
)

// share gives the messages at hand away, and the reader's buffer with them, if
// there is one lane to own them.
func (f *fanout) share(h *hand) {
	r := &f.c.r
	if len(f.lanes) != 1 || !f.lanes[0].blocks() {
		return
	}
	if r.slab.Buffer() == nil && h.n < worthMessages && worthBytes*h.bytes < len(r.buf) {
		return
	}
	if !r.share() || r.slab.Left() < h.n {
		return
	}
	for i := range h.messages[:h.n] {
		h.messages[i].own, h.messages[i].ticket = r.slab.Buffer(), r.slab.Ticket()
	}
}

// give hands messages to all lanes. They are lent, or there is one lane, which
// owns them then.
func (f *fanout) give(messages []Message) {
	for i := range f.lanes {
		m := &f.lanes[i]
		if given, err := m.give(f, messages); err != nil {
			f.stop(m, err, messages[given:])
		}
	}
	f.settle()
	f.c.r.spoil(messages...)
}

// giveOwned hands over messages that the fan-out owns. Several lanes get copies.
func (f *fanout) giveOwned(messages []Message) {
	if len(f.lanes) == 1 {
		f.give(messages)
		return
	}
	owned := slices.Clone(messages)
	for i := range messages {
		messages[i].own = nil
	}
	f.give(messages)
	release(owned)
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
	f.giveOwned(h.messages[:h.n])
}

// stop notes that a lane takes no more, and what it was not given.
func (f *fanout) stop(m *member, err error, left []Message) {
	m.err, m.left, f.short = err, left, true
	if err != errLeft {
		f.c.source.leave(m.lane)
		m.end(err)
	}
}

// settle brings the list of lanes up to date. Messages that are at hand must
// still be there: if nobody was given all of them, those that the last lane was
// not given are kept.
func (f *fanout) settle() {
	s := &f.c.source
	if s.version.Load() == f.seen && !f.short {
		return
	}
	f.rest() // nothing is gathered that a lane which has come does not get
	var ended []lane
	for i := range f.lanes {
		if f.lanes[i].err != nil {
			ended = append(ended, f.lanes[i].lane)
		}
	}
	f.seen = s.version.Load()
	lanes, last, back := s.parted(ended)
	heir := f.heir(last, len(ended) == len(f.lanes))
	var gathered, left []Message
	for i := range f.lanes {
		m := &f.lanes[i]
		if i != heir && slices.Contains(lanes, m.lane) {
			continue
		}
		have := m.close()
		if i == heir {
			gathered, left = have, m.left
		} else {
			release(have)
		}
	}
	f.keep(left, back, gathered)
	f.short = false
	f.lanes = f.lanes[:0]
	for _, l := range lanes {
		f.lanes = append(f.lanes, member{lane: l})
	}
}

// heir returns which lane's messages the next taker gets: those of the last one
// that left, or, where another has come meanwhile and none was given all that is
// at hand, those of the lane that was given most of it; -1 is none.
func (f *fanout) heir(last lane, ended bool) int {
	heir := slices.IndexFunc(f.lanes, func(m member) bool { return m.lane == last })
	if heir >= 0 || !ended || len(f.lanes) == 0 {
		return heir
	}
	heir = 0
	for i := range f.lanes {
		if len(f.lanes[i].left) < len(f.lanes[heir].left) {
			heir = i
		}
	}
	return heir
}

// keep keeps messages in front of what was kept before: those that are owned, and
// then some of those at hand.
func (f *fanout) keep(atHand []Message, owned ...[]Message) {
	s := &f.c.source
	kept := slices.Concat(owned...) // a batch's slice may be its messages' memory
	for _, m := range atHand {
		if m.own == nil {
			m = m.Clone()
		}
		kept = append(kept, m)
	}
	if len(kept) > 0 {
		s.kept = append(kept, s.kept...)
	}
}

// rest tells all lanes that no more messages are at hand for now.
func (f *fanout) rest() {
	for i := range f.lanes {
		f.restOne(&f.lanes[i])
	}
}

// attend waits while the connection is paused. All get what came before.
func (f *fanout) attend() error {
	f.rest()
	return f.c.r.attend(f.ctx)
}

func (f *fanout) restOne(m *member) {
	if m.err != nil {
		return
	}
	if err := m.rest(f); err != nil {
		f.stop(m, err, nil)
	}
}

// stalled is called by a lane that has waited for its subscriber for a while:
// control frames are looked after meanwhile, and those lanes that never wait hand
// on what they have gathered.
func (f *fanout) stalled() {
	f.c.r.ahead.arm()
	for i := range f.lanes {
		if m := &f.lanes[i]; !m.blocks() {
			f.restOne(m)
		}
	}
}
