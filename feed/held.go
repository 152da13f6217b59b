package feed

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/backoff"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// The bounds of the wait between two tries. A store has few clients: its workers.
const (
	waitFirst     = time.Second
	waitMost      = 30 * time.Second
	waitMostStore = 5 * time.Second
)

// A held is a feed that this worker has.
type held struct {
	// Never change.
	r    *run
	over chan struct{} // closed when it was given up, or has ended

	// Guarded by r.mu.
	tenure
	stint *stint      // the source that is opening, open or closing; nil while idle
	timer *time.Timer // of the wait; nil before the first
}

func newHeld(r *run, name string) *held {
	return &held{r: r, over: make(chan struct{}), tenure: tenure{name: name}}
}

// A stint is one source of a feed.
type stint struct {
	// Never change.
	h      *held
	ctx    context.Context // the source is wanted
	cancel context.CancelFunc
	origin stream.Origin
	mark   stream.Gap // stands behind its last message

	src    stream.Source // these two are set before the feed is open
	leave  func()
	joined chan struct{} // closed when the feed is known to be open

	// Of the goroutine that stores.
	cursor string      // of its last record
	gap    *stream.Gap // is stored before the next record; nil for none
	dead   bool        // somebody else has written to the feed: nothing more of it is stored
}

// revoke gives the feed up.
func (h *held) revoke() {
	h.r.mu.Lock()
	s := h.stint
	do := h.step(eventRevoke, result.Status{})
	h.r.mu.Unlock()
	s.do(do)
}

// happens tells of an event of the source, and does what follows. It reports false if
// the source is not waited for any more.
func (s *stint) happens(e event, st result.Status) (waited bool) {
	do := doNothing
	s.h.r.mu.Lock()
	if waited = s.h.stint == s; waited {
		if e == eventMark {
			s.h.unstored = s.gap
		}
		do = s.h.step(e, st)
	}
	s.h.r.mu.Unlock()
	s.do(do)
	return waited
}

// step takes note of an event, and does what follows for the feed, under r.mu. It
// returns what follows for the source.
func (h *held) step(e event, st result.Status) action {
	do := h.on(e, time.Now(), st)
	switch do {
	case doRetry:
		h.retry()
	case doFinish:
		h.finish()
	}
	return do
}

func (s *stint) do(what action) {
	switch what {
	case doCancel:
		s.cancel()
		time.AfterFunc(grace, s.late)
	case doMark:
		s.cancel()
		go s.putMark() // ends when the mark is in the stream
	case doLeave:
		s.leave()
		s.h.r.close(s)
		go s.putMark() // as above
	}
}

// late gives an Open up that has been told to return.
func (s *stint) late() {
	if s.happens(eventLate, result.Status{}) {
		s.h.r.job.Logger.Error("Open of a feed does not heed its context, and is left alone", zap.String("feed", s.h.name), zap.Duration("after", grace))
	}
}

// retry waits and asks for the last record again, under r.mu.
func (h *held) retry() {
	h.stint = nil
	h.timer = time.AfterFunc(backoff.Wait(waitFirst, waitMost, h.failures, h.cause), func() {
		h.r.mu.Lock()
		defer h.r.mu.Unlock()
		if h.phase == phaseIdle {
			h.r.claims([]*held{h})
		}
	})
}

// finish forgets the feed, under r.mu.
func (h *held) finish() {
	h.stint = nil
	if h.timer != nil {
		h.timer.Stop()
	}
	if h.next == outlookDone {
		h.r.done++
		h.r.stopIfDone()
	}
	close(h.over)
}

// claims sees that feeds are opened, under r.mu.
func (r *run) claims(feeds []*held) {
	r.due = append(r.due, feeds...)
	r.running.Go(r.claim) // ends when no feed is due any more, or with the job
}

// claimMost is how many feeds are asked for at a time: their last records, with all their
// data, are in memory then.
const claimMost = 1000

// claim asks the store for the last records of all feeds that are due, and opens them.
func (r *run) claim() {
	select {
	case r.asking <- struct{}{}:
	case <-r.ctx.Done():
		return
	}
	defer func() { <-r.asking }()
	var feeds []*held
	for failures := 1; ; failures++ {
		var names []string
		if feeds, names = r.idle(feeds); len(feeds) == 0 {
			return // all are asked for, by this call or by the one before
		}
		last, err := r.job.Store.Last(r.ctx, names)
		switch bad := (*result.ArgumentError)(nil); {
		case err == nil:
			for _, h := range feeds {
				h.begin(last[h.name])
			}
			feeds, failures = nil, 0
			continue
		case r.ctx.Err() != nil:
			return
		case errors.As(err, &bad):
			r.fail(err)
			return
		}
		wait := backoff.Wait(waitFirst, waitMostStore, failures, err)
		r.job.Logger.Warn("the store does not tell of last records", zap.Int("feeds", len(names)), zap.Error(err), zap.Duration("wait", wait))
		if !pause(r.ctx, wait) {
			return
		}
	}
}

// idle returns those feeds that are still to be opened, and their names, with as many of
// those that have become due as may be asked for at a time.
func (r *run) idle(feeds []*held) (all []*held, names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	take := func(h *held) {
		if h.phase == phaseIdle {
			all, names = append(all, h), append(names, h.name)
		}
	}
	for _, h := range feeds {
		take(h)
	}
	n := 0
	for ; len(all) < claimMost && n < len(r.due); n++ {
		take(r.due[n])
	}
	r.due = slices.Delete(r.due, 0, n)
	return all, names
}

// pause waits. It returns false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
