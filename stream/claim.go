package stream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/check"
)

// ErrTaken is what a second taker of an exclusive source gets: a loop over
// [Conn.All] and calls of [Conn.Receive] and [Conn.Reader] do not share, neither with each other
// nor with channels, Observables and callbacks. When the last of those has
// ended, they may take again.
var ErrTaken = errors.New("wsflow: the messages of this connection are being taken in another way")

// A mode says who takes the messages.
type mode int8

const (
	modeFree      mode = iota // nobody: what comes waits for the next taker
	modeExclusive             // a loop over All, or a Reader
	modeShared                // the fan-out
	modeLeaving               // the fan-out still, but its last lane has left
	modeDiscarded             // one who throws them away, until somebody else wants them
	modeOver                  // nobody, for good: the stream has ended
)

// A source hands out the messages of a connection: it knows who may take them,
// and keeps what was taken off the wire and given to nobody.
type source struct {
	version atomic.Uint32 // counts the changes of lanes

	// Guarded by mu.
	mu    sync.Mutex
	mode  mode
	used  bool          // somebody has taken messages
	owner *feed         // of a Relay, for which alone messages are taken; nil: for anybody
	by    *feed         // for which the exclusive taker takes them
	lanes []lane        // of the fan-out; those that never wait come first. What stands in the slice never changes
	next  *following    // lanes that have come while an exclusive taker is parting; nil while there are none
	last  *leaver       // nil unless a lane has left and the fan-out has not kept what it was not given
	owing map[lane]bool // those that have yet to give back after the stream's end
	halt  func()        // tells the fan-out to stop; nil before it has begun
	moved chan struct{} // closed and forgotten when a lane or the fan-out leaves; nil while nobody waits
	calls *listeners    // the callbacks; nil until there was one

	// Of the one who takes.
	kept  []Message // what was taken off the wire and not given, owned; it comes before what is read
	over  bool      // nothing more is read
	fault error     // what was wrong with the stream, beside the terminal event

	discards
}

// A leaver is a lane that left when there was no other.
type leaver struct {
	lane lane
	owes bool      // it has yet to give back
	back []Message // what it gave back
}

// take claims the messages, if nobody has them.
func (s *source) take(by *feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode != modeFree || s.owner != by {
		return false
	}
	s.mode, s.by, s.used = modeExclusive, by, true
	return true
}

// takeOver claims the messages for good, if nobody has them, and drops what was
// kept.
func (s *source) takeOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode != modeFree {
		return false
	}
	s.mode, s.used = modeOver, true
	s.drop()
	return true
}

// adopt makes a feed the only one for whom messages are taken.
func (s *source) adopt(f *feed) error {
	if err := s.keep(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner != nil || s.mode == modeExclusive && !s.parting() || s.mode == modeShared {
		return ErrTaken
	}
	s.owner = f
	return nil
}

// disown ends what adopt began.
func (s *source) disown(f *feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owner == f {
		s.owner = nil
		s.wake()
	}
}

// adopted returns the feed for which alone messages are taken, nil if there is none.
func (s *source) adopted() *feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owner
}

// leaving returns what is closed when the fan-out leaves, if it is about to.
func (s *source) leaving() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parting() {
		return s.whenMoved()
	}
	if s.mode != modeLeaving || s.calls != nil && s.calls.calling.Load() {
		return nil // It may be that very call that asks.
	}
	return s.whenMoved()
}

// join adds a lane to the fan-out. It returns true if the fan-out has to be
// started, for this lane alone at that version, and an error if the messages are not
// to be had.
func (s *source) join(l lane, by *feed) (version uint32, start bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mode == modeExclusive && !s.parting(), s.mode == modeDiscarded, s.owner != by:
		return 0, false, ErrTaken
	case s.mode == modeOver:
		return 0, false, errOver
	case s.mode == modeExclusive:
		s.next = s.next.with(l)
		return s.version.Load(), false, nil
	case s.mode == modeFree:
		s.mode, s.used, start = modeShared, true, true
	}
	s.lanes = insert(s.lanes, l)
	s.wake()
	return s.version.Add(1), start, nil
}

// insert returns the lanes with one more. The slice is a new one.
func insert(lanes []lane, l lane) []lane {
	if l.blocks() {
		return append(slices.Clip(lanes), l)
	}
	return append([]lane{l}, lanes...)
}

// leave takes a lane out. If it is the last one, the fan-out stops; if it then
// owes messages, which it took and did not give on, the fan-out waits until it
// gives them back.
func (s *source) leave(l lane) {
	owes := l.owes()
	s.mu.Lock()
	stop := s.remove(l, owes)
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// remove is leave under the lock, but for what it returns, which is to be called if it
// is not nil.
func (s *source) remove(l lane, owes bool) (stop func()) {
	at := slices.Index(s.lanes, l)
	if at < 0 {
		s.next = s.next.without(l)
		return nil
	}
	s.lanes = slices.Concat(s.lanes[:at], s.lanes[at+1:])
	s.version.Add(1)
	s.wake()
	if len(s.lanes) > 0 {
		return nil
	}
	if s.last == nil {
		s.last = &leaver{lane: l, owes: owes}
	}
	s.mode = modeLeaving
	return s.halt
}

// giveBack is called once for a lane that owes messages, when its subscriber has
// ended. Where another one is there to take them, or ended later, they are
// released.
func (s *source) giveBack(l lane, messages []Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restore(l, messages)
}

// restore is giveBack under the lock.
func (s *source) restore(l lane, messages []Message) {
	if s.owed() && s.last.lane == l {
		s.last.back, s.last.owes = messages, false
		s.wake()
		return
	}
	if s.owing[l] {
		delete(s.owing, l)
		if len(s.owing) == 0 && s.mode == modeOver {
			s.kept = messages
			s.free()
			return
		}
	}
	release(messages)
}

// owed reports, under the lock, that the last lane that left has yet to give back.
func (s *source) owed() bool { return s.last != nil && s.last.owes }

// parted returns the lanes as they are now, and the last one that left, with
// what it gave back, if the fan-out has not heard of it yet. Lanes of which the
// fan-out knows that they have ended are about to leave: it waits for them.
func (s *source) parted(ended []lane) (lanes []lane, last lane, back []Message) {
	s.mu.Lock()
	for s.owed() || s.have(ended) {
		moved := s.whenMoved()
		s.mu.Unlock()
		<-moved
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.last != nil {
		last, back = s.last.lane, s.last.back
		s.last = nil
	}
	return s.lanes, last, back
}

// have reports, under the lock, that some of the lanes have not left.
func (s *source) have(some []lane) bool {
	return slices.ContainsFunc(some, func(l lane) bool { return slices.Contains(s.lanes, l) })
}

// A standing is how the fan-out stands when it is about to take, or to end.
type standing int8

const (
	unsettled standing = iota // a lane left last: what it was not given is to be kept first
	wanted                    // there are lanes
	alone                     // there is none: the messages are somebody else's from now on
)

// begin is called by the fan-out before it takes, with what makes it stop.
func (s *source) begin(stop func()) standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.last != nil:
		return unsettled
	case len(s.lanes) == 0:
		s.free()
		return alone
	}
	s.mode, s.halt = modeShared, stop
	return wanted
}

// end is called by the fan-out when the stream has ended. It returns the lanes
// that are to be told, unless the last one has left: that has to be settled.
func (s *source) end() (lanes []lane, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		return nil, false
	}
	lanes, s.lanes = s.lanes, nil
	s.owing = make(map[lane]bool)
	for _, l := range lanes {
		if l.owes() {
			s.owing[l] = true
		}
	}
	s.version.Add(1)
	s.free()
	return lanes, true
}

// joinAlone adds the lane of an exclusive taker that has one, if nobody has the
// messages.
func (s *source) joinAlone(l lane, by *feed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode != modeFree || s.owner != by {
		return false
	}
	s.mode, s.by, s.used = modeExclusive, by, true
	s.lanes = append(slices.Clip(s.lanes), l)
	s.version.Add(1)
	return true
}

// taken reports that there are lanes, and that the only one is an exclusive taker's.
func (s *source) taken() (any, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.lanes) > 0, len(s.lanes) > 0 && s.mode == modeExclusive
}

// moves returns what is closed when a lane comes or leaves, and whether there is none.
func (s *source) moves() (moved <-chan struct{}, none bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whenMoved(), len(s.lanes) == 0
}

// stands tells how a giver that has no goroutine stands, once it has settled.
func (s *source) stands() standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.last != nil:
		return unsettled
	case len(s.lanes) == 0 && s.mode == modeLeaving:
		s.free()
		return alone
	case s.mode == modeLeaving:
		s.mode = modeShared
	}
	return wanted
}

// free ends a claim, under the lock.
func (s *source) free() {
	s.mode, s.halt, s.by = modeFree, nil, nil
	if s.over && len(s.kept) == 0 {
		s.mode = modeOver
	}
	s.wake()
}

// whenMoved returns a channel that is closed when a lane comes or leaves, or the
// fan-out leaves, under the lock.
func (s *source) whenMoved() <-chan struct{} {
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return s.moved
}

// wake wakes those who wait for somebody to leave, under the lock.
func (s *source) wake() {
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// ended reports that there are no more messages.
func (s *source) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode == modeOver
}

// claim takes the messages for an exclusive taker, also from one who discards
// them. The error is a *LostError where some are gone, errOver where there are no
// more, ErrTaken, or the cause of ctx.
func (c *Conn) claim(ctx context.Context, by *feed) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	s := &c.source
	for {
		if s.take(by) {
			return nil
		}
		if err := s.keep(); err != nil {
			return err
		}
		if s.take(by) {
			return nil
		}
		if s.ended() {
			return errOver
		}
		if s.adopted() != by {
			return ErrTaken
		}
		moved := s.leaving()
		if moved == nil && s.take(by) {
			return nil
		}
		if moved == nil {
			return ErrTaken
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// unclaim is claim's end. From then on the look-ahead sees control frames.
func (c *Conn) unclaim() {
	if c.source.leaveExclusive() {
		go newFanout(c).run() // ends with the last lane or with the stream
		return
	}
	c.left()
}

// left follows the end of a claim.
func (c *Conn) left() {
	if c.abandoned() {
		c.letGo()
	}
	c.r.ahead.arm()
}
