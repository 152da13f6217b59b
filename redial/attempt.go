package redial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A task is what a goroutine of the source does between two connections. When the
// source has ended it is to end early, and not before: what fails because the source
// ends is no failed attempt.
type task struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// begin notes a task as the one that is under way, under mu.
func (s *Source) begin() *task {
	t := &task{}
	t.ctx, t.cancel = context.WithCancelCause(context.WithoutCancel(s.ctx))
	s.task = t
	return t
}

// finish ends a task.
func (s *Source) finish(t *task) {
	t.cancel(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.task == t {
		s.task = nil
	}
}

// run does a task. If a function of the program panics in it, or ends the goroutine,
// the source ends with that.
func (s *Source) run(do func()) {
	check.Run("a function in redial.Options", s.opts.logger(), func(err error) {
		s.end(wish{wishFail, failed(err)}, err)
	}, do)
}

// attempt makes a connection and hands it on.
func (s *Source) attempt() {
	var t *task
	s.step(func(c *cycle) {
		if c.dial() {
			t = s.begin()
		}
	})
	if t == nil {
		return
	}
	defer s.finish(t)
	conn, continued, err := s.connect(t.ctx)
	if err == nil {
		s.handOn(t.ctx, conn, continued)
		return
	}
	var n int
	ok := false
	s.step(func(c *cycle) {
		if n, ok = c.fail(err); ok {
			s.conn = nil
		}
	})
	if ok {
		s.retry(t.ctx, n, err, nil)
	}
}

// errNoConn is what a dial that returns nothing is taken for.
var errNoConn = &result.General{Err: errors.New("dial of redial.New returned neither a connection nor an error")}

// connect makes a connection, up to and with Open. If the source has ended, its error
// does not matter.
func (s *Source) connect(ctx context.Context) (conn *stream.Conn, continued bool, err error) {
	if s.opts.Limiter != nil {
		if err := s.opts.Limiter.Wait(ctx); err != nil {
			return nil, false, fmt.Errorf("wsflow: waiting for the limiter: %w", err)
		}
	}
	if conn, err = s.dial(ctx); err != nil {
		return nil, false, err
	}
	if conn == nil {
		return nil, false, errNoConn
	}
	ok := false
	s.step(func(c *cycle) {
		if ok = c.dialed(); ok {
			s.conn = conn
		}
	})
	if !ok {
		conn.CloseNow(context.Cause(ctx))
		return nil, false, net.ErrClosed
	}
	if s.opts.Open == nil {
		return conn, false, nil
	}
	continued, err = s.prepare(ctx, conn)
	return conn, continued, err
}

// prepare calls Open.
func (s *Source) prepare(ctx context.Context, conn *stream.Conn) (continued bool, err error) {
	ctx, stop := s.opts.bound(ctx)
	defer stop()
	defer context.AfterFunc(ctx, func() { conn.CloseNow(context.Cause(ctx)) })()
	s.mu.Lock()
	gap := s.cycle.upcoming(time.Now())
	s.mu.Unlock()
	continued, err = s.opts.Open(ctx, conn, gap)
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Fail(err)
	}
	return continued, err
}

// handOn hands the connection to the Relay and opens the source. The connection is paused
// until the Notice is given, which its messages follow.
func (s *Source) handOn(ctx context.Context, conn *stream.Conn, continued bool) {
	defer conn.Pause()()
	origin := stream.Origin{Epoch: s.nextEpoch()}
	_, err := s.feeder.Join(conn, &stream.JoinOptions{Origin: origin, Keep: s.keep(), Ended: func(st result.Status) {
		go s.run(func() { s.lose(st) }) // ends when the loss is told and the next wait begins
	}})
	if err != nil { // the source has ended; or Open has left something that takes messages
		err = &result.General{Err: err}
		s.end(wish{wishFail, failed(err)}, err)
		return
	}
	var gap *stream.Gap
	s.step(func(c *cycle) {
		ok := false
		if gap, ok = c.open(time.Now(), continued); ok {
			s.watch()
		}
	})
	if gap != nil {
		s.tell(zap.InfoLevel, "the connection is open again", zap.Duration("down", gap.Down), zap.Int("attempts", gap.Attempts), zap.Bool("continued", continued))
		s.feeder.Notify(ctx, &origin, gap) // an error says that the source has ended
	}
}

// nextEpoch returns the epoch of the connection that is being made.
func (s *Source) nextEpoch() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cycle.epoch + 1
}

// keep shows messages to Seen, unless it has panicked.
func (s *Source) keep() func(stream.Message) bool {
	if s.opts.Seen == nil {
		return nil
	}
	dead := false
	return func(m stream.Message) bool {
		if dead {
			return false
		}
		dead = true
		s.run(func() {
			s.opts.Seen(m)
			dead = false
		})
		return !dead
	}
}

// lose is called when the connection has ended and its messages were handed on.
func (s *Source) lose(st result.Status) {
	var t *task
	var n int
	var why error
	var gap *stream.Gap
	s.step(func(c *cycle) {
		ok := false
		if n, why, ok = c.lose(time.Now(), st, s.opts.stable()); ok {
			t, gap = s.begin(), c.gap
		}
		s.conn = nil
		s.stop()
	})
	if t == nil {
		return
	}
	defer s.finish(t)
	s.retry(t.ctx, n, why, gap)
}

// retry asks what to do about a failure, and does it. A gap that begins with it is told.
func (s *Source) retry(ctx context.Context, n int, why error, gap *stream.Gap) {
	wait, again := s.opts.retry(n, why)
	if again && gap != nil {
		s.feeder.Notify(ctx, &stream.Origin{Epoch: gap.From}, gap) // an error is that of ctx
	}
	if again {
		s.tell(zap.WarnLevel, "there is no connection; it is dialed again", zap.Error(why), zap.Int("failure", n), zap.Duration("wait", wait))
	}
	s.step(func(c *cycle) {
		switch {
		case !c.decide(again):
		case wait > 0:
			s.timer = time.AfterFunc(wait, func() { s.run(s.attempt) })
		default:
			go s.run(s.attempt) // ends when the connection is open, or could not be made
		}
	})
}
