package mux

import (
	"context"
	"time"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
)

// A Window is a limiter: it lets a number of messages pass within any span of time,
// wherever that begins. A token bucket, which saves up a burst, lets through twice as
// many around it. Make a Window with [NewWindow]. Its methods may be called from
// many goroutines, and several muxes may share one: those who wait are served in
// order.
type Window struct {
	most   int
	span   time.Duration
	turn   chan struct{} // holds a value while somebody decides or waits
	passed []time.Time   // when the last ones passed, the oldest at next once there are most of them
	next   int
}

// NewWindow returns a Window that lets at most so many messages pass within any
// span of time. Both must be positive, or Wait fails with a
// *result.ArgumentError.
//
// What the network delays may reach the server closer together than it was sent:
// choose a span that is a little longer than the server's.
func NewWindow(most int, span time.Duration) *Window {
	return &Window{most: most, span: span, turn: make(chan struct{}, 1)}
}

// Wait waits until one more message may pass, and counts it. It returns the
// cause of ctx when that ends first.
func (w *Window) Wait(ctx context.Context) error {
	switch {
	case w.most <= 0:
		return &result.ArgumentError{Name: "most of mux.NewWindow", Value: w.most, Allowed: "1 or more"}
	case w.span <= 0:
		return &result.ArgumentError{Name: "span of mux.NewWindow", Value: w.span, Allowed: "more than 0"}
	}
	if err := check.Context(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-w.turn }()
	if wait := w.wait(time.Now()); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	w.pass(time.Now())
	return nil
}

// wait returns how long the next one has to wait.
func (w *Window) wait(now time.Time) time.Duration {
	if len(w.passed) < w.most {
		return 0
	}
	return w.passed[w.next].Add(w.span).Sub(now)
}

// pass counts one that passes now.
func (w *Window) pass(now time.Time) {
	if len(w.passed) < w.most {
		w.passed = append(w.passed, now)
		return
	}
	w.passed[w.next] = now
	w.next = (w.next + 1) % w.most
}
