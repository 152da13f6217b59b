package stream

import (
	"runtime"
	"time"

	"go.uber.org/zap"
)

// A verdict says what becomes of an item that is about to go into a queue.
type verdict int8

const (
	fits    verdict = iota
	waits           // Block: there is no room for it yet
	dropped         // DropNewest: there is none
	slow            // Fail: there is none
	left            // the subscription has ended
	paused          // the connection is paused, or CloseNow was called
)

// A chanLane is one giver's way into the channel of a subscription: what it gives
// into, and what it needs to wait. It is the giver's.
type chanLane[T any] struct {
	s     *Subscription[T]
	debts bool // the messages in the channel are not given yet: somebody hands them on
	arena arena
	gauge gauge
	timer *time.Timer // nil until the first wait
}

func (l *chanLane[T]) blocks() bool  { return l.s.opts.Policy == Block }
func (l *chanLane[T]) owes() bool    { return l.debts }
func (l *chanLane[T]) end(err error) { l.s.end(err) }

// admit says what becomes of the next item, of so many bytes, under s.mu. Where
// the policy says so, it drops older items for it.
func (l *chanLane[T]) admit(size int) verdict {
	s := l.s
	if s.ended {
		return left
	}
	for len(s.ch) == cap(s.ch) || !l.gauge.fits(size, len(s.ch)) {
		switch s.opts.Policy {
		case Block:
			return waits
		case Fail:
			return slow
		case DropNewest:
			return dropped
		}
		s.dropOldest()
	}
	return fits
}

// push puts an item that fits into the queue, under s.mu. Another lane, which
// has waited, may have taken the room.
func (l *chanLane[T]) push(item T, size int) verdict {
	select {
	case l.s.ch <- item:
		l.gauge.add(size, cap(l.s.ch))
		return fits
	default:
		return waits
	}
}

// A receiver that takes from a channel tells nobody that there is room for more
// bytes in it, so that a lane looks again from time to time: soon at first, and
// then the less often the longer the queue has been full. Connections are many, and
// so may be those whose subscribers stand still.
const (
	lookFirst = 100 * time.Microsecond
	lookMost  = time.Millisecond       // doubles up to it,
	lookPart  = 16                     // then this part of the time that has passed,
	lookLast  = 100 * time.Millisecond // at most
)

// nextLook returns when to look again, after so much time and a look that came
// behind the last one by before.
func nextLook(before, since time.Duration) time.Duration {
	return min(2*before, max(lookMost, since/lookPart), lookLast)
}

// wait puts an item into the queue of a Block subscriber once there is room. If
// it returns an error, which is errOver after CloseNow, the item is the caller's
// still.
func (l *chanLane[T]) wait(g giver, item T, size int) error {
	if !l.s.enter() {
		return errLeft
	}
	defer l.s.exit()
	if l.timer == nil {
		l.timer = time.NewTimer(lookMost)
	}
	defer l.timer.Stop()
	start, since, look := time.Now(), time.Duration(0), lookFirst
	for st := (stall{timeout: l.s.opts.Timeout}); ; {
		ch, next := l.s.ch, st.due()-since
		if !l.gauge.fits(size, len(ch)) {
			ch, next, look = nil, min(next, look), nextLook(look, since)
		}
		l.timer.Reset(next)
		select {
		case ch <- item:
			l.gauge.add(size, cap(ch))
			return nil
		case <-l.s.left.done():
			return errLeft
		case <-g.quit():
			return errOver
		case now := <-l.timer.C:
			since = now.Sub(start)
		}
		switch st.pass(since) {
		case stallLook:
			g.stalled()
		case stallWarn:
			l.s.h.log().Warn("a Block subscriber takes no messages and holds up the connection", zap.Duration("for", since))
		case stallOver:
			return ErrSlow
		}
	}
}

// A stall is a queue that stands still.
type stall struct {
	timeout time.Duration // 0: none
	next    stallAction
}

// A stallAction is what there is to do for a stall, in this order.
type stallAction int8

const (
	stallLook stallAction = iota // let somebody else read
	stallWarn
	stallRest // nothing more
	stallOver // the timeout has passed
)

var stallAfter = [...]time.Duration{stallLook: time.Millisecond, stallWarn: 10 * time.Second, stallRest: 1<<63 - 1}

// due returns after which time there is something to do.
func (st *stall) due() time.Duration {
	if st.timeout > 0 {
		return min(st.timeout, stallAfter[st.next])
	}
	return stallAfter[st.next]
}

// pass returns what there is to do after so much time.
func (st *stall) pass(d time.Duration) stallAction {
	switch {
	case st.timeout > 0 && d >= st.timeout:
		return stallOver
	case d >= stallAfter[st.next]:
		st.next++
		return st.next - 1
	}
	return stallRest
}

// A singles is the lane of a subscription to single messages.
type singles struct{ chanLane[Message] }

func newSingles(s *Subscription[Message]) *singles {
	return &singles{chanLane[Message]{s: s, gauge: gauge{limit: int64(s.opts.Bytes)}}}
}

func (l *singles) rest(giver) error {
	l.arena.rest()
	return nil
}

func (l *singles) close() []Message {
	l.arena.rest()
	return nil
}

func (l *singles) give(g giver, messages []Message) (given int, err error) {
	for {
		n, v := l.passSoon(g, messages[given:])
		given += n
		switch v {
		case fits:
			return given, nil
		case paused:
			err = g.attend()
		case waits:
			if err = l.waitFor(g, &messages[given]); err == nil {
				given++
			}
		case slow:
			return given, ErrSlow
		case left:
			return given, errLeft
		}
		switch {
		case err == errOver: // CloseNow
			g.lose(messages[given:])
			return len(messages), nil
		case err == ErrSlow:
			return given, err
		case err != nil:
			return given, errLeft
		}
	}
}

// passSoon is pass, and again once the receiver may have had its turn: a queue that
// is full has often just woken it up, and a wait costs more than that.
func (l *singles) passSoon(g giver, messages []Message) (n int, v verdict) {
	if n, v = l.pass(g, messages); v == waits {
		runtime.Gosched()
		var more int
		more, v = l.pass(g, messages[n:])
		n += more
	}
	return n, v
}

// pass gives those messages for which it need not wait, and returns how many and
// what becomes of the next one.
func (l *singles) pass(g giver, messages []Message) (n int, v verdict) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; n < len(messages); n++ {
		if g.halted() {
			return n, paused
		}
		m := &messages[n]
		if v = l.passOwned(m); v == fits {
			continue
		}
		switch v = l.admit(len(m.Data)); v {
		case fits:
		case dropped:
			s.drop(*m)
			continue
		default:
			return n, v
		}
		item := l.arena.one(m)
		s.skips.mark(&item, len(s.ch))
		if v = l.push(item, len(m.Data)); v != fits {
			l.disown(m, item)
			return n, v
		}
	}
	return n, fits
}

// passOwned gives, under s.mu, a message that the lane owns to a Block subscriber
// that has room for it, as most are given: nothing is copied, dropped or counted.
func (l *singles) passOwned(m *Message) verdict {
	s := l.s
	if m.own == nil || s.ended || s.opts.Policy != Block || !l.gauge.small(len(m.Data)) {
		return waits
	}
	select {
	case s.ch <- *m:
		l.gauge.add(len(m.Data), cap(s.ch))
		return fits
	default:
		return waits
	}
}

// waitFor gives one message to a subscriber that has to be waited for.
func (l *singles) waitFor(g giver, m *Message) error {
	item := l.arena.one(m)
	err := l.wait(g, item, len(m.Data))
	if err != nil {
		l.disown(m, item)
	}
	return err
}

// one returns a message that the receiver owns: a lent one is copied.
func (a *arena) one(m *Message) (own Message) {
	if m.own != nil {
		return *m
	}
	a.copy(&own, m)
	return own
}

// disown releases the copy of a lent message that was not given.
func (l *singles) disown(m *Message, item Message) {
	if m.own == nil {
		item.Release()
	}
}
