package feed

import (
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A tenure is the time for which this worker has a feed. It says what is to be done
// with it: it does no I/O, takes no lock and reads no clock.
//
//	idle -> opening -> open -> closing -> idle, or over
//
// Behind the last message of a source a mark is put into the stream. When it comes
// out, what the source gave is stored: the feed may be opened again, by this worker or
// by another.
type tenure struct {
	name     string
	phase    phase
	next     outlook
	failures int   // in a row, of Open and of sources that did not last
	cause    error // of the last of them

	opens    uint64        // how often the feed was open
	opened   time.Time     // when it was last
	lost     time.Time     // when that source ended
	status   result.Status // and how
	unstored *stream.Gap   // that source's gap, if no record followed it
}

type phase int8

const (
	phaseIdle    phase = iota // its last record is asked for, or it waits for that
	phaseOpening              // Open is running
	phaseOpen                 // its source is joined
	phaseClosing              // its source has left, and the mark is on its way
	phaseOver
)

// An outlook says what comes behind the mark.
type outlook int8

const (
	outlookReopen outlook = iota
	outlookDone           // the feed has ended with success
	outlookLeave          // it is no longer this worker's
)

type event int8

const (
	eventOpen     event = iota // its last record is known
	eventOpened                // Open has returned a source, which is joined
	eventFailed                // Open has returned an error
	eventEnded                 // the source has ended with success
	eventBroke                 // the source has ended with an error
	eventConflict              // somebody else has written to it
	eventMark                  // the mark has come out of the stream
	eventLate                  // Open has not returned long after it was told to
	eventRevoke                // it is no longer this worker's
)

// An action is what is to be done for an event.
type action int8

const (
	doNothing action = iota
	doOpen           // call Open
	doCancel         // tell Open that its source is not wanted
	doMark           // put the mark into the stream: the source has left by itself
	doLeave          // leave and close the source, and put the mark into the stream
	doRetry          // wait, and ask for the last record again
	doFinish         // forget the feed
)

// stable is how long a source must last for the waits to begin anew.
const stable = 10 * time.Second

// on returns what is to be done for an event at a time. The status is that of a
// source that has ended.
func (t *tenure) on(e event, now time.Time, st result.Status) action {
	if e == eventRevoke {
		t.next = outlookLeave
	}
	switch t.phase {
	case phaseIdle:
		return t.onIdle(e)
	case phaseOpening:
		return t.onOpening(e, now, st)
	case phaseOpen:
		return t.onOpen(e, now, st)
	case phaseClosing:
		return t.onClosing(e)
	}
	return doNothing
}

func (t *tenure) onIdle(e event) action {
	switch e {
	case eventOpen:
		t.phase = phaseOpening
		return doOpen
	case eventRevoke:
		return t.onward()
	}
	return doNothing
}

func (t *tenure) onOpening(e event, now time.Time, st result.Status) action {
	switch e {
	case eventRevoke:
		return doCancel
	case eventLate:
		if t.next == outlookLeave {
			return t.onward()
		}
	case eventFailed:
		t.failures++
		t.cause = st.Err
		return t.onward()
	case eventOpened:
		t.phase, t.opened = phaseOpen, now
		t.opens++
		if t.next == outlookLeave {
			return t.onOpen(eventRevoke, now, st)
		}
	}
	return doNothing
}

func (t *tenure) onOpen(e event, now time.Time, st result.Status) action {
	do := doLeave
	switch e {
	case eventEnded, eventBroke:
		do = doMark
	case eventConflict, eventRevoke:
	default:
		return doNothing
	}
	t.phase, t.lost, t.status, t.cause = phaseClosing, now, st, st.Err
	switch {
	case e == eventEnded:
		t.next = outlookDone
	case now.Sub(t.opened) >= stable:
		t.failures = 0
	default:
		t.failures++
	}
	return do
}

func (t *tenure) onClosing(e event) action {
	switch {
	case e == eventMark:
		return t.onward()
	case e == eventConflict && t.next == outlookDone: // not all that came is stored
		t.next = outlookReopen
		t.failures++
	}
	return doNothing
}

// onward goes on behind the end of a source, or of an Open that failed.
func (t *tenure) onward() action {
	if t.next != outlookReopen {
		t.phase = phaseOver
		return doFinish
	}
	t.phase = phaseIdle
	return doRetry
}

// gap tells of what may be missing when the feed is opened once more. It begins where a
// gap did that no record followed.
func (t *tenure) gap(now time.Time) *stream.Gap {
	g := &stream.Gap{From: t.opens, To: t.opens + 1, Status: t.status, Attempts: t.failures + 1, Lost: t.lost}
	if u := t.unstored; u != nil {
		g.From, g.Status, g.Lost = u.From, u.Status, u.Lost
	}
	if !g.Lost.IsZero() {
		g.Down = now.Sub(g.Lost)
	}
	return g
}
