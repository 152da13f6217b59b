package feed

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/backoff"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// store stores what comes, until the job is over.
func (r *run) store(messages *stream.Subscription[[]stream.Message]) {
	for r.next(&r.bundle, messages) {
		r.append(&r.bundle)
	}
	r.feeder.End(result.Status{Code: result.StatusNormalClosure})
	for batch := range messages.C { // of sources that have left
		release(batch)
	}
}

// next gathers records, at least one or a mark. It returns false if the job is over.
func (r *run) next(b *bundle, messages *stream.Subscription[[]stream.Message]) bool {
	for len(b.items) == 0 {
		select {
		case batch := <-messages.C:
			r.take(b, batch)
		case <-r.over:
			return false
		}
	}
	var late <-chan time.Time
	if r.job.Linger > 0 {
		t := time.NewTimer(r.job.Linger)
		defer t.Stop()
		late = t.C
	}
	for !b.full(r.job.Batch) {
		select {
		case batch := <-messages.C:
			r.take(b, batch)
			continue
		default:
		}
		if late == nil || b.marked {
			break
		}
		select {
		case batch := <-messages.C:
			r.take(b, batch)
		case <-late:
			late = nil
		case <-r.ctx.Done():
			late = nil
		}
	}
	return true
}

// take makes records of the messages of one source.
func (r *run) take(b *bundle, batch []stream.Message) {
	s := r.stintOf(batch[0].Origin())
	gap := batch[0].Gap()
	switch {
	case s == nil:
		release(batch)
	case gap == &s.mark:
		b.addMark(s)
		release(batch)
	case s.dead:
		release(batch)
	case r.hard.Err() != nil:
		r.lost += len(batch)
		release(batch)
	case gap != nil:
		if s.gap == nil && gap.To != 0 && !gap.Continued {
			s.gap = gap
		}
		release(batch)
	default:
		for _, m := range batch {
			s.record(b, m)
		}
	}
}

// record makes a record of one message, and one of the gap before it.
func (s *stint) record(b *bundle, m stream.Message) {
	record, ok := s.h.r.job.Record(m)
	if !ok {
		m.Release()
		return
	}
	if s.gap != nil {
		b.add(Record{Feed: s.h.name, Cursor: s.cursor, Gap: s.gap}, stream.Message{})
		s.gap = nil
	}
	record.Feed = s.h.name
	if record.Cursor == "" {
		record.Cursor = s.cursor
	}
	s.cursor = record.Cursor
	b.add(record, m)
}

// stintOf returns the source that a message came from, nil if it is no longer wanted.
func (r *run) stintOf(o *stream.Origin) *stint {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h := r.feeds[o.Name]; h != nil {
		return h.stint
	}
	return nil
}

// append stores the first records of the bundle, up to as many as an Append may have,
// whatever it takes.
func (r *run) append(b *bundle) {
	records, items := b.first(r.job.Batch)
	for failures := 1; len(records) > 0; failures++ {
		if r.hard.Err() != nil {
			r.lost += len(records)
			break
		}
		err := r.job.Store.Append(r.hard, records)
		if err == nil {
			break
		}
		if c := (*Conflict)(nil); errors.As(err, &c) && r.conflict(b, c) {
			records, items = b.first(r.job.Batch)
			failures = 0
			continue
		}
		if bad := (*result.ArgumentError)(nil); errors.As(err, &bad) {
			r.fail(err)
			r.cut(err) // The store takes none of what was received.
		}
		wait := backoff.Wait(waitFirst, waitMostStore, failures, err)
		if r.hard.Err() == nil {
			r.job.Logger.Error("records cannot be stored", zap.Int("records", len(records)), zap.Error(err), zap.Duration("wait", wait))
		}
		pause(r.hard, wait)
	}
	for _, s := range b.done(items) {
		if s.dead { // It may not be told yet.
			s.happens(eventConflict, result.Status{})
		}
		s.happens(eventMark, result.Status{})
	}
}

// conflict gives up what came of feeds that somebody else has written to. It returns
// false if there is nothing of them in the bundle.
func (r *run) conflict(b *bundle, c *Conflict) bool {
	for _, name := range c.Feeds {
		s := r.stintOf(&stream.Origin{Name: name})
		if s != nil && !s.dead {
			s.dead = true
			go s.conflict(c) // ends when the source is known to be joined
		}
	}
	dropped := b.without(c.Feeds)
	r.job.Logger.Warn("feeds are given up, as another worker writes to them", zap.Error(c), zap.Int("records", dropped))
	return dropped > 0
}

func release(batch []stream.Message) {
	for _, m := range batch {
		m.Release()
	}
}
