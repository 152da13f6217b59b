package redial

import (
	"slices"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A cycle is what is known of a source's connections, one after another, and what
// follows from it. It does no I/O, takes no lock, starts no goroutine and reads no
// clock: the shell in source.go tells it what happened and does what it says.
//
//	waiting -> dialing -> opening -> open
//	   ^          |          |        |
//	   |          v          v        |
//	   +-------- lost <------+--------+
//
// Every phase may be followed by ended.
type cycle struct {
	phase phase
	epoch uint64 // of the last connection that was open

	failures int         // since a connection was stable
	attempts int         // dials since the last connection
	causes   []error     // the failures in this time, the last one first
	opened   time.Time   // when the last connection was open
	gap      *stream.Gap // since that one ended; nil before the first one is open

	asked  *wish         // nil while the source is not to end
	status result.Status // what the source ends with; final in phaseEnded
}

// A phase is where a source stands.
type phase uint8

const (
	phaseWaiting phase = iota // for the time to dial
	phaseDialing              // it waits for the limiter and dials
	phaseOpening              // Open runs
	phaseOpen                 // messages are handed on
	phaseLost                 // what to do about a failure is being decided
	phaseEnded
)

// String returns the phase's name.
func (p phase) String() string {
	return [...]string{"waiting", "dialing", "opening", "open", "lost", "ended"}[p]
}

// A wish is how the program wants the source to end.
type wish struct {
	kind   wishKind
	status result.Status // how the source ends, if no connection says it
}

// The kinds of a wish. A greater one takes the place of a smaller one.
type wishKind uint8

const (
	wishClose wishKind = iota // Close was called, and there was no connection to close
	wishWait                  // Close was called, and begins to close the connection, whose end counts
	wishCut                   // CloseNow was called, or the context ended
	wishFail                  // a function of the program panicked
)

// failed is the status of something that ended without a Close frame.
func failed(err error) result.Status {
	return result.Status{Code: result.StatusAbnormalClosure, Err: err}
}

// dial begins an attempt. It reports false if the source has ended, as do the other
// steps of an attempt.
func (c *cycle) dial() bool {
	if c.phase != phaseWaiting {
		return false
	}
	c.phase = phaseDialing
	c.attempts++
	return true
}

// dialed takes in that there is a connection.
func (c *cycle) dialed() bool {
	if c.phase != phaseDialing {
		return false
	}
	c.phase = phaseOpening
	return true
}

// upcoming returns the gap as it is now, for Open: nil if there was no connection
// before.
func (c *cycle) upcoming(now time.Time) *stream.Gap {
	if c.gap == nil {
		return nil
	}
	g := *c.gap
	g.To, g.Attempts, g.Down = c.epoch+1, c.attempts, now.Sub(g.Lost)
	return &g
}

// open takes in that Open has returned. The gap is that of the Notice, nil for the
// first connection.
func (c *cycle) open(now time.Time, continued bool) (gap *stream.Gap, ok bool) {
	if c.phase != phaseOpening {
		return nil, false
	}
	gap = c.upcoming(now)
	if gap != nil {
		gap.Continued = continued
	}
	c.phase, c.opened = phaseOpen, now
	c.epoch++
	return gap, true
}

// maxCauses bounds what an Error lists.
const maxCauses = 8

// fail takes in that an attempt failed, and returns the number of the failure.
func (c *cycle) fail(err error) (n int, ok bool) {
	if c.phase != phaseDialing && c.phase != phaseOpening {
		return 0, false
	}
	c.blame(failed(err))
	return c.failures, true
}

// blame takes in what the source ends with, if Retry says no.
func (c *cycle) blame(st result.Status) {
	c.phase, c.status = phaseLost, st
	c.failures++
	if st.Err != nil {
		c.causes = slices.Insert(c.causes, 0, st.Err)
		c.causes = c.causes[:min(len(c.causes), maxCauses)]
	}
}

// lose takes in how the open connection has ended, when all its messages have been
// handed on. It returns the number of the failure and what to tell Retry, or false
// if the source has ended with it.
func (c *cycle) lose(now time.Time, st result.Status, stable time.Duration) (n int, err error, ok bool) {
	switch {
	case c.phase != phaseOpen:
		return 0, nil, false
	case c.asked != nil && c.asked.kind == wishWait:
		c.end(st)
		return 0, nil, false
	case c.asked != nil: // a wishClose
		c.end(c.asked.status)
		return 0, nil, false
	}
	if now.Sub(c.opened) >= stable {
		c.failures = 0
	}
	c.gap = &stream.Gap{From: c.epoch, Status: st, Lost: now}
	c.attempts, c.causes = 0, nil
	if st.Err == nil && !st.ByPeer {
		st.Err = errOwnClose
	}
	c.blame(st)
	return c.failures, st.Err, true
}

// decide takes in what Retry said about the last failure. It reports whether the
// source waits now; otherwise it has ended.
func (c *cycle) decide(again bool) bool {
	switch {
	case c.phase != phaseLost:
		return false
	case again:
		c.phase = phaseWaiting
		return true
	}
	st := c.status
	if st.Err != nil {
		st.Err = &Error{Attempts: c.attempts, Causes: c.causes}
	}
	c.end(st)
	return false
}

// end makes the status final.
func (c *cycle) end(st result.Status) {
	c.phase, c.status = phaseEnded, st
}

// ask takes in how the program wants the source to end, and reports whether that
// changes anything. A Close while a connection is open ends the source when that
// connection is lost, everything else at once.
func (c *cycle) ask(w wish) bool {
	if c.phase == phaseEnded || c.asked != nil && w.kind <= c.asked.kind {
		return false
	}
	c.asked = &w
	if c.phase != phaseOpen || w.kind > wishWait {
		c.end(w.status)
	}
	return true
}
