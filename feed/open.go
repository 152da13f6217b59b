package feed

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// openSlow is the time after which an Open that has not returned is told of.
const openSlow = 30 * time.Second

// begin opens the feed behind its last record, if it is still to be opened.
func (h *held) begin(last Record) {
	r := h.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.on(eventOpen, time.Now(), result.Status{}) != doOpen {
		return
	}
	s := &stint{h: h, origin: stream.Origin{Name: h.name, Epoch: h.opens + 1}, joined: make(chan struct{}), cursor: last.Cursor}
	s.mark.Final = true
	s.ctx, s.cancel = context.WithCancel(r.hard)
	h.stint = s
	var gap *stream.Gap
	if last.Feed != "" && !r.job.Exact {
		gap = h.gap(time.Now())
	}
	go s.open(last, gap) // ends when the source is joined, or Open has failed
}

// open opens and joins a source.
func (s *stint) open(last Record, gap *stream.Gap) {
	h, log := s.h, s.h.r.job.Logger
	slow := time.AfterFunc(openSlow, func() {
		log.Warn("Open of a feed has not returned", zap.String("feed", h.name), zap.Duration("for", openSlow))
	})
	var src stream.Source
	var err error
	opened := check.Run("feed.Job.Open", log, func(err error) {
		slow.Stop()
		h.r.broken(err)
		s.fails(err)
	}, func() { src, err = h.r.job.Open(s.ctx, h.name, last) })
	if !opened {
		return
	}
	slow.Stop()
	if err == nil && src == nil {
		err = errors.New("it returned no source")
	}
	if err == nil {
		err = s.join(src, gap)
	}
	if err == nil {
		if !s.happens(eventOpened, result.Status{}) { // it comes late
			s.leave()
			h.r.close(s)
		}
		close(s.joined)
		return
	}
	if s.ctx.Err() == nil {
		log.Warn("a feed does not open", zap.String("feed", h.name), zap.Error(err))
	}
	s.fails(err)
}

// fails says that there is no source.
func (s *stint) fails(err error) {
	s.cancel()
	s.happens(eventFailed, result.Status{Err: err})
}

// join makes the source one of the stream's, behind what tells of the gap before it.
func (s *stint) join(src stream.Source, gap *stream.Gap) error {
	r := s.h.r
	s.src = src
	var err error
	if gap != nil {
		err = r.feeder.Notify(s.ctx, &s.origin, gap)
	}
	if err == nil {
		s.leave, err = r.feeder.Join(src, &stream.JoinOptions{
			Origin: s.origin,
			Ended:  func(st result.Status) { go s.ended(st) }, // ends when the source is known to be joined
		})
	}
	if err != nil {
		r.close(s)
	}
	return err
}

// ended is told that the source has ended by itself, and all its messages are in the
// stream.
func (s *stint) ended(st result.Status) {
	<-s.joined
	if st.Err == nil {
		s.happens(eventEnded, st)
		return
	}
	s.h.r.job.Logger.Warn("the source of a feed has ended", zap.String("feed", s.h.name), zap.Error(st.Err))
	s.happens(eventBroke, st)
}

// conflict is told that somebody else has written to the feed.
func (s *stint) conflict(err error) {
	<-s.joined
	s.happens(eventConflict, result.Status{Err: err})
}

// putMark puts the mark behind what the source gave.
func (s *stint) putMark() {
	// An error means that the stream has ended: nobody waits for the mark.
	_ = s.h.r.feeder.Notify(context.Background(), &s.origin, &s.mark)
}

// A closer is a source that can be closed, such as a *stream.Conn.
type closer interface {
	Close(code result.StatusCode, reason string) error
	CloseNow(cause error)
}

// close closes a source. The job waits for that, unless the source comes late.
func (r *run) close(s *stint) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.h.stint == s {
		r.running.Go(s.close)
	} else {
		go s.close() // ends soon, as the job does
	}
}

// close closes the source, in good order while there is time, and waits for its end.
func (s *stint) close() {
	defer s.cancel()
	c, ok := s.src.(closer)
	if !ok {
		return
	}
	if d, ok := s.src.(interface{ Discard() }); ok {
		d.Discard()
	}
	if c.Close(result.StatusNormalClosure, "") != nil {
		c.CloseNow(nil)
	}
	hard := s.h.r.hard
	select {
	case <-s.src.Done():
	case <-hard.Done():
		c.CloseNow(context.Cause(hard))
		<-s.src.Done()
	}
}
