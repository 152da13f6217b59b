package redial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Options say how a source connects, and what it does about a connection that was
// lost. The zero value and nil mean the defaults. Options are never modified, may be
// used for many sources, and must not be changed while one of these lives. Its
// functions are called by each source on its own: those that several sources share
// must be safe for that.
type Options struct {
	// Open runs on each new connection before any message of it is handed on, and
	// before anything else is sent on it: it logs in, subscribes, asks to resume. It
	// may send, and take the answers with conn.All, Receive or Reader. Messages that
	// it takes are not handed on, nor shown to Seen; all others are. No subscription of
	// it may go on when it has returned.
	//
	// gap tells of the connection before, and is nil the first time. With continued,
	// Open vouches that no message was missed between the two: the Notice of the new
	// connection says so. ctx ends with the source, and after OpenTimeout; the
	// connection is cut then.
	//
	// An error closes the connection with 1011 and counts as a failed attempt. A
	// panic ends the source.
	Open func(ctx context.Context, conn *stream.Conn, gap *stream.Gap) (continued bool, err error)

	// OpenTimeout bounds Open. Zero is 15 s; negative is no bound. An Open that does not
	// heed its context is waited for all the same before the next dial, but does not hold
	// up the end of the source.
	OpenTimeout time.Duration

	// Seen is called with each data message, in order, before anybody gets it: here
	// a program notes how far it has come. The message is lent, as that of a loop
	// over All. Seen is called by whoever takes messages, by one at a time, and
	// never while Open runs. A panic ends the source.
	Seen func(stream.Message)

	// Retry is asked after each failure whether to dial again, and when. n counts
	// the failures, from 1, since a connection was last stable. err is why an
	// attempt failed or how the connection ended, and nil if the server ended it
	// with success. A source whose Retry says no ends: with success after such an
	// end, with an *Error otherwise. A *result.ArgumentError ends it without asking.
	//
	// Retry must not block. Nil is Backoff(time.Second, 30*time.Second).
	Retry func(n int, err error) (wait time.Duration, again bool)

	// Stable is how long a connection must last for n to begin anew. So a server that
	// takes connections and drops them at once is dialed less and less often. Zero is
	// 10 s; it may not be negative.
	Stable time.Duration

	// DataTimeout is how long no data message may come. Then the connection is closed
	// with 1011 and the next one made: for servers whose connections live on while their
	// feed has died. Only time counts in which this side would have read the message.
	// The end may come by a quarter of it later. Zero is never; it may not be negative.
	DataTimeout time.Duration

	// Limiter is waited for before each dial. Many sources may share one, so that
	// their server is not asked for more connections than it can make: a
	// *rate.Limiter of golang.org/x/time is one. Nil is no limit. An error counts
	// as a failed attempt.
	Limiter interface{ Wait(context.Context) error }

	// Carry keeps what Sinks hold for the next connection, where it is sent first.
	// Without it, a Sink gives up what it is given in a gap: see [Source.Sink].
	Carry bool

	// Logger gets a line for each connection that was lost, each attempt that failed
	// and each connection that is open again. All sources of a program together write
	// ten lines at once and then no more than one a second; the next line says how many
	// were left out. Nil is silent.
	Logger *zap.Logger

	// Post runs callbacks and the promise's continuations, as in stream.Options. Nil
	// means a goroutine of the source.
	Post func(func())
}

const (
	defaultOpenTimeout = 15 * time.Second
	defaultStable      = 10 * time.Second
)

// What sources have that are not told otherwise: sources are many.
var (
	defaults     Options
	defaultRetry = Backoff(defaultFirst, defaultMost)
	silent       = zap.NewNop()
)

// check refuses what cannot be used.
func (o *Options) check() error {
	if o.Stable < 0 {
		return bad("Stable", o.Stable, "a duration, or 0 for 10 s")
	}
	if o.DataTimeout < 0 {
		return bad("DataTimeout", o.DataTimeout, "a duration, or 0 for never")
	}
	return nil
}

func bad(field string, value any, allowed string) error {
	return &result.ArgumentError{Name: "redial.Options." + field, Value: value, Allowed: allowed}
}

func (o *Options) stable() time.Duration { return cmp.Or(o.Stable, defaultStable) }

func (o *Options) logger() *zap.Logger { return cmp.Or(o.Logger, silent) }

// retry asks Retry, but not about an argument that cannot be used.
func (o *Options) retry(n int, err error) (wait time.Duration, again bool) {
	switch {
	case errors.As(err, new(*result.ArgumentError)):
		return 0, false
	case o.Retry == nil:
		return defaultRetry(n, err)
	}
	return o.Retry(n, err)
}

// bound returns a context that ends with OpenTimeout.
func (o *Options) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := cmp.Or(o.OpenTimeout, defaultOpenTimeout)
	if timeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, lapsed(timeout))
}

// lapsed is the cause of a context that OpenTimeout ended.
type lapsed time.Duration

func (l lapsed) Error() string {
	return fmt.Sprintf("redial.Options.OpenTimeout of %v is over: %v", time.Duration(l), l.Unwrap())
}

func (l lapsed) Unwrap() error { return context.DeadlineExceeded }
