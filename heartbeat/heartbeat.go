// Package heartbeat keeps watch over the life of a connection, as an operator:
// it sends a Ping when nothing has proven the peer alive for a while, measures
// how long the Pong takes, and ends the connection when the peer stays silent.
//
// It costs no goroutine and, for each connection, a few hundred bytes and one
// timer, which wakes an idle connection once an interval. No timer is touched
// for a message.
package heartbeat

import (
	"fmt"
	"math"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Options say when to ask and when to give up. The zero value, and nil, mean
// the defaults.
type Options struct {
	// Interval is how long nothing may have proven the peer alive before a
	// Ping asks for proof. Zero is 30 seconds; it may not be negative.
	Interval time.Duration

	// Timeout is how long nothing may have proven the peer alive before the
	// connection ends with a *result.ConnectionFailed. The error that this one
	// wraps says how long was waited for what, and is a [net.Error] whose
	// Timeout method returns true. Zero is 4 minutes and 59 seconds, or ten
	// intervals where Interval is more than 30 seconds. It must be longer than
	// Interval.
	//
	// While this side keeps itself from reading, because its consumer does not
	// take what came and the connection's look-ahead is spent, the peer's
	// silence proves nothing: each wake that finds it so, one an interval,
	// starts the timeout anew. While the look-ahead lasts, what came may wait
	// for up to a second until it is seen, as long as the consumer is away. A
	// timeout that leaves no such second after the interval may end a
	// connection that is well.
	Timeout time.Duration

	// AnyFrame lets whatever comes from the peer prove it alive. Otherwise
	// only a Pong that answers our Ping does: it alone proves that both
	// directions work.
	AnyFrame bool
}

// An Operator is a heartbeat for any number of connections, made by [New]. It
// is never modified: all methods may be called from many goroutines.
type Operator struct {
	interval time.Duration
	timeout  time.Duration
	anyFrame bool
}

var (
	_ stream.Operator  = (*Operator)(nil)
	_ stream.Validator = (*Operator)(nil)
)

// The defaults of Options.
const (
	defaultInterval = 30 * time.Second
	defaultTimeout  = 4*time.Minute + 59*time.Second
)

// New returns a heartbeat with the given options; nil means the defaults. The
// options are copied. Those that cannot be used are reported by
// [Operator.Validate], and when a connection is made.
func New(opts *Options) *Operator {
	if opts == nil {
		opts = &Options{}
	}
	o := Operator{interval: opts.Interval, timeout: opts.Timeout, anyFrame: opts.AnyFrame}
	if o.interval == 0 {
		o.interval = defaultInterval
	}
	if o.timeout == 0 {
		o.timeout = defaultTimeout
		if o.interval > defaultInterval {
			o.timeout = 10 * min(o.interval, math.MaxInt64/10)
		}
	}
	return &o
}

// Validate returns a *result.ArgumentError that names both values if one of
// them is negative or the timeout is not longer than the interval.
func (o *Operator) Validate() error {
	if o.interval < 0 {
		return &result.ArgumentError{
			Name:    "heartbeat.Options.Interval",
			Value:   o.interval,
			Allowed: fmt.Sprintf("0 or more, and less than Timeout, which is %v", o.timeout),
		}
	}
	if o.timeout <= o.interval {
		return &result.ArgumentError{
			Name:    "heartbeat.Options.Timeout",
			Value:   o.timeout,
			Allowed: fmt.Sprintf("0, or more than Interval, which is %v", o.interval),
		}
	}
	return nil
}

// Attach prepares a connection's heartbeat. It returns Validate's error, if
// there is one.
func (o *Operator) Attach(link *stream.Link) (stream.Taps, error) {
	if err := o.Validate(); err != nil {
		return stream.Taps{}, err
	}
	b := &beat{link: link, pulse: pulse{op: o}}
	control := func(f stream.Frame) error {
		if f.Type == stream.Pong && b.answered(f.Payload) {
			b.tell()
		}
		return nil
	}
	return stream.Taps{Control: control, Timer: b.wake, State: b}, nil
}
