package feed

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// The bounds of the wait between two tries.
const (
	waitFirst = time.Second
	waitMost  = 30 * time.Second
)

// backoff draws a wait behind so many failures in a row.
func backoff(failures int) time.Duration {
	bound := waitFirst
	for ; failures > 1 && bound < waitMost; failures-- {
		bound *= 2
	}
	return rand.N(min(bound, waitMost))
}

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

	left atomic.Bool // nothing more is to come of it

	// Of the goroutine that stores.
	cursor string // of its last record
	dead   bool   // somebody else has written to the feed: nothing more of it is stored
}

// revoke gives the feed up.
func (h *held) revoke() {
	h.r.mu.Lock()
	s := h.stint
	do := h.step(eventRevoke, result.Status{})
	h.r.mu.Unlock()
	s.do(do)
}

// happens tells of an event of the source, and does what follows.
func (s *stint) happens(e event, st result.Status) {
	do := doNothing
	s.h.r.mu.Lock()
	if s.h.stint == s {
		do = s.h.step(e, st)
	}
	s.h.r.mu.Unlock()
	s.do(do)
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
	case doMark:
		s.cancel()
		go s.putMark() // ends when the mark is in the stream
	case doLeave:
		s.left.Store(true)
		s.leave()
		s.h.r.close(s)
		go s.putMark() // as above
	}
}

// retry waits and asks for the last record again, under r.mu.
func (h *held) retry() {
	h.stint = nil
	h.timer = time.AfterFunc(backoff(h.failures), func() {
		h.r.mu.Lock()
		defer h.r.mu.Unlock()
		if h.phase == phaseIdle {
			h.r.running.Go(func() { h.r.claim([]*held{h}) }) // ends when its last record is known, or with the job
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

// claim asks the store for the last records of feeds, and opens them.
func (r *run) claim(feeds []*held) {
	for failures := 1; ; failures++ {
		select {
		case r.asking <- struct{}{}:
		case <-r.ctx.Done():
			return
		}
		names := r.idle(feeds)
		last, err := map[string]Record(nil), error(nil)
		if len(names) > 0 {
			last, err = r.job.Store.Last(r.ctx, names)
		}
		<-r.asking
		switch bad := (*result.ArgumentError)(nil); {
		case err == nil:
			for _, h := range feeds {
				h.begin(last[h.name])
			}
			return
		case r.ctx.Err() != nil:
			return
		case errors.As(err, &bad):
			r.fail(err)
			return
		}
		wait := backoff(failures)
		r.job.Logger.Warn("the store does not tell of last records", zap.Int("feeds", len(names)), zap.Error(err), zap.Duration("wait", wait))
		if !pause(r.ctx, wait) {
			return
		}
	}
}

// idle returns the names of those feeds that are still to be opened.
func (r *run) idle(feeds []*held) (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range feeds {
		if h.phase == phaseIdle {
			names = append(names, h.name)
		}
	}
	return names
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
