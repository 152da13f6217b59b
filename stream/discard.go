package stream

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"
)

// A LostError reports messages that came and that nobody gets any more. It is the
// first thing that a subscriber gets who comes after messages were discarded: see
// [Conn.Discard].
type LostError struct {
	Messages uint64 // how many
	Why      string // why they are lost
}

// Error gives the number and the reason.
func (e *LostError) Error() string {
	return fmt.Sprintf("wsflow: %d messages are lost: %s", e.Messages, e.Why)
}

// discards are the messages that nobody took.
type discards struct {
	unwanted event         // the program has said that nobody need subscribe
	gone     atomic.Uint64 // messages that were discarded, and that nobody was told of

	discarder *discarder // nil unless somebody has discarded messages; guarded by the source's lock
}

// A discarder is one who throws messages away.
type discarder struct {
	stop context.CancelFunc
	left chan struct{} // closed when it has stopped
}

// Discard says that this program may never subscribe: it is for clients that only
// send. Messages still wait for a first subscriber until the look-ahead is spent,
// which is Options.LookAhead bytes. Then, if nobody has ever subscribed, they and
// those that follow are discarded and a warning is logged. So control frames are
// still seen, and the connection can end well. [Conn.Close] says the same, and
// dial.Connect when onReady has returned; where nobody says it, the peer is held back
// by TCP and nothing is discarded. A pause that is held keeps messages from being
// discarded.
//
// Whoever subscribes after that, in whatever way, first gets a *[LostError] that
// counts what is gone. From then on nothing is discarded, and who subscribes again
// gets what comes next.
//
// Discard may be called from anywhere, many times, and returns at once.
func (c *Conn) Discard() {
	c.source.unwanted.fire()
	if c.r.ahead.held.Load() {
		go c.discardOn() // ends with the stream, or when somebody subscribes
	}
}

// discardOn takes messages and throws them away, until the stream ends or somebody
// subscribes. It reports false where that is not allowed.
func (c *Conn) discardOn() bool {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	d := &discarder{stop: stop, left: make(chan struct{})}
	if !c.source.discard(d) {
		return false
	}
	defer close(d.left)
	c.log().Warn("nobody takes messages: they are discarded")
	r := &c.r
	r.assemble, r.current, r.watched = false, nil, false
	defer r.leave(r.watchContext(ctx))
	for {
		if err := r.pass(ctx); err != nil {
			r.ended(ctx, err)
			return true
		}
	}
}

// pass passes over a control frame or the next piece of a message. No message is
// assembled, so that none is too large.
func (r *reader) pass(ctx context.Context) error {
	begun, err := r.between(ctx)
	if err != nil || !begun {
		return err
	}
	f, err := r.next(ctx)
	if err != nil {
		return err
	}
	if f.First {
		r.c.source.gone.Add(1)
	}
	r.msg.skip = !f.Last
	return nil
}

// discard claims the messages for one who discards them, if nobody has ever
// subscribed nor need do so.
func (s *source) discard(d *discarder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode != modeFree || s.used || !s.unwanted.fired() {
		return false
	}
	s.mode, s.discarder = modeDiscarded, d
	return true
}

// keep ends discarding, for one who subscribes, and returns an error that counts
// what is gone, once.
func (s *source) keep() error {
	s.mu.Lock()
	d := s.discarder
	s.mu.Unlock()
	if d == nil {
		return nil
	}
	d.stop()
	<-d.left
	s.mu.Lock()
	defer s.mu.Unlock()
	if gone := s.gone.Swap(0); gone > 0 {
		s.used = true
		return lostUntaken(gone)
	}
	return nil
}

func lostUntaken(n uint64) error {
	return &LostError{Messages: n, Why: "nobody had subscribed when they came"}
}

// untaken returns how many messages nobody has taken although somebody might by
// now; ahead is how many the look-ahead has seen.
func (s *source) untaken(ahead uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.used || !s.unwanted.fired():
		return 0
	case s.mode == modeFree:
		return ahead
	}
	return s.gone.Load()
}

// warnUntaken warns, at the connection's end, of messages that nobody took.
func (c *Conn) warnUntaken() {
	if n := c.source.untaken(c.r.ahead.messages.Load()); n > 0 {
		c.log().Warn("nobody has taken the messages of a connection that ends", zap.Uint64("messages", n))
	}
}

// letGo gives back what the reader holds, once the program wants no more of it.
// One who is taking messages sees to that himself, when he finds out or leaves.
func (c *Conn) letGo() {
	if c.source.takeOver() {
		c.r.empty()
	}
}
