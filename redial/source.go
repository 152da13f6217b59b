package redial

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Source gives the messages of one connection after another, with Notices between
// them. Messages are taken by the methods of its [stream.Relay] (All, Chan, Batches,
// Observable, callbacks), as from a [stream.Conn]. Who owns them is said at
// [stream.Message].
//
// All methods may be called from many goroutines, and from callbacks. A nil context is
// refused with a *result.ArgumentError. A source ends when the program calls
// [Source.Close], [Source.Shutdown] or [Source.CloseNow], when its context ends, when
// the server has no more to say, and when Options.Retry gives up.
type Source struct {
	*stream.Relay

	// Never change.
	feeder *stream.Feeder
	dial   func(context.Context) (*stream.Conn, error)
	opts   *Options
	ctx    context.Context

	open atomic.Pointer[stream.Conn] // the open connection; nil while there is none

	// Guarded by mu.
	mu     sync.Mutex
	cycle  cycle
	conn   *stream.Conn  // the one that is opening or open
	task   *task         // what is under way; nil while nothing is
	timer  *time.Timer   // of the wait; then of silence
	turned chan struct{} // closed and forgotten when something has happened; nil while nobody waits
	detach func() bool   // the source from ctx
	sinks  map[*sink]struct{}
}

var _ stream.Source = (*Source)(nil)

// New returns a source that dials at once, and again whenever its connection is lost.
// dial is called for each attempt, so that the tokens in a URL or a header are fresh.
// Its context ends with the source, which does not wait for it then.
//
// ctx bounds the life of the source: when it ends, the connection is cut, and the
// source ends with a *[result.ConnectionFailed] around the context's cause. Where an
// argument cannot be used, New returns a source that has ended, with a
// *[result.General] around a *[result.ArgumentError].
func New(ctx context.Context, dial func(context.Context) (*stream.Conn, error), opts *Options) *Source {
	if opts == nil {
		opts = &defaults
	}
	err := opts.check()
	switch {
	case ctx == nil:
		err = &result.ArgumentError{Name: "ctx of redial.New", Allowed: "a context, not nil"}
	case dial == nil:
		err = &result.ArgumentError{Name: "dial of redial.New", Allowed: "a function, not nil"}
	}
	s := &Source{dial: dial, opts: opts, ctx: ctx}
	s.Relay, s.feeder = stream.NewRelay(&stream.RelayOptions{Logger: opts.Logger, Post: opts.Post})
	if err != nil {
		err = &result.General{Err: err}
		s.end(wish{wishFail, failed(err)}, err)
		return s
	}
	s.attach()
	go s.run(s.attempt) // ends when the connection is open, or could not be made
	return s
}

// attach has the source end with its context.
func (s *Source) attach() {
	if s.ctx.Done() != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.detach = context.AfterFunc(s.ctx, func() { s.CloseNow(context.Cause(s.ctx)) })
	}
}

// Close ends the source in good order, and returns at once; [Source.Done] and
// [Source.Result] tell when it is done. It closes an open connection as
// [stream.Conn.Close] does, and the source ends with the status of that connection.
// Where none is open, Close ends a wait, a dial or Open at once, and the source ends
// with success, with this code and reason.
//
// A code or a reason that [stream.Conn.Close] refuses is a *result.ArgumentError, and
// the source goes on. Where the source has already begun to close, Close changes
// nothing and returns an error that is net.ErrClosed.
func (s *Source) Close(code result.StatusCode, reason string) error {
	if err := check.Close(code, reason); err != nil {
		return err
	}
	if !s.end(wish{wishClose, result.Status{Code: code, Reason: reason}}, net.ErrClosed) {
		return s.refusal()
	}
	return nil
}

// Shutdown closes the source as [Source.Close] does and waits for its end: it is for
// a program that is about to exit. It returns nil after a success, and otherwise the
// error with which the source ended. If ctx ends first, the source ends as by
// [Source.CloseNow], and Shutdown returns the cause of ctx.
func (s *Source) Shutdown(ctx context.Context, code result.StatusCode, reason string) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	if err := s.Close(code, reason); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	_, err := s.Result().Wait(ctx)
	if _, ended := s.Result().Status(); !ended {
		s.CloseNow(err)
	}
	return err
}

// CloseNow ends the source at once, whatever is under way, with a
// *result.ConnectionFailed that wraps cause. The connection is cut, and messages that
// were not taken yet are lost. A nil cause means net.ErrClosed.
func (s *Source) CloseNow(cause error) {
	if cause == nil {
		cause = net.ErrClosed
	}
	s.end(wish{wishCut, failed(&result.ConnectionFailed{Err: cause})}, cause)
}

// end ends the source as the program wishes. It reports false if it has begun to end
// already, in this way or a harder one.
func (s *Source) end(w wish, cause error) (begun bool) {
	var conn *stream.Conn
	var under *task
	var sinks []*sink
	now := s.change(func(c *cycle) {
		conn, under = s.conn, s.task
		switch {
		case w.kind != wishClose:
		case c.phase == phaseLost:
			under = nil // the Notice of the loss may still be given
		case c.phase == phaseOpen && !over(conn):
			w.kind = wishWait
			sinks = slices.Collect(maps.Keys(s.sinks))
		}
		begun = c.ask(w)
	})
	switch {
	case !begun:
		return false
	case now == phaseOpen:
		if len(sinks) == 0 {
			conn.Close(w.status.Code, w.status.Reason)
		}
		go s.close(conn, sinks, w.status) // ends with the connection
		return true
	}
	if conn != nil {
		conn.CloseNow(cause)
	}
	if under != nil {
		under.cancel(cause)
	}
	s.settle()
	return true
}

// close closes the connection behind what stands in the sinks, and ends the source
// with it. Whoever takes messages, and is not done, gets the rest.
func (s *Source) close(conn *stream.Conn, sinks []*sink, w result.Status) {
	if len(sinks) > 0 {
		flush(sinks, conn.Done())
		conn.Close(w.Code, w.Reason)
	}
	<-conn.Done()
	st, _ := conn.Result().Status()
	s.lose(st)
}

// step hands an event to the cycle. Whoever waits for something to happen is woken. The
// step with which the source ends ends the Relay.
func (s *Source) step(event func(*cycle)) {
	if s.change(event) == phaseEnded {
		s.settle()
	}
}

// settle ends the Relay of a source that has ended.
func (s *Source) settle() {
	s.feeder.End(s.cycle.status) // which never changes any more
}

// change is step without the end of the Relay.
func (s *Source) change(event func(*cycle)) (now phase) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.cycle.phase
	event(&s.cycle)
	now = s.cycle.phase
	if now == phaseOpen && s.cycle.asked == nil {
		s.open.Store(s.conn)
	} else {
		s.open.Store(nil)
	}
	if s.turned != nil {
		close(s.turned)
		s.turned = nil
	}
	if before != phaseEnded && now == phaseEnded {
		s.stop()
		if s.detach != nil {
			s.detach()
		}
	}
	return now
}

// stop stops the timer, under mu.
func (s *Source) stop() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}
