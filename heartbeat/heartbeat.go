// Package heartbeat watches over the life of a connection, as an operator.
// Package dial has it by default.
//
//	beat := heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: time.Minute})
//	conn, err := dial.Dial(ctx, url, &dial.Options{Operators: dial.DefaultOperators(beat)})
//	if err != nil {
//		return err
//	}
//	if state, ok := heartbeat.Of(conn); ok {
//		state.OnRTT(func(r heartbeat.RTT) { fmt.Println("round trip:", r.Last) })
//	}
//
// It sends a Ping when nothing has proven the peer alive for an interval, and
// again after each further interval. It measures how long the Pongs take, and
// ends the connection when the peer stays silent.
//
// # What counts as silence
//
// A healthy peer may be unable to answer, or its answer may not be read yet. So
// the timeout starts anew, or stands still, where the silence says nothing about
// the peer:
//
//   - A Pong to any of the unanswered Pings proves the peer alive, also a late
//     one. With Options.AnyFrame, whatever is received does.
//   - Once a Ping was sent, only time counts in which this side read from the
//     connection or waited for it. A consumer that is busy, a full subscriber or a
//     pause holds the timeout up as soon as the connection's look-ahead is spent.
//   - While the Ping waits behind data that is being sent, each byte of that data
//     that leaves starts the timeout anew. On Linux it has left when the peer's
//     system acknowledged it, through TLS too. On other systems, and where the
//     connection is no TCP socket, it has left when the transport took it. What
//     leaves after the Ping proves nothing: a system acknowledges bytes also for a
//     program that was stopped.
//   - A wake that comes more than a second late tells that this program did not
//     run, as on a machine that was suspended. The time before it does not count.
//
// One thing is not seen: a Pong that is on its way behind data of the peer. Choose a
// Timeout that is longer than the peer's queued data takes to arrive, or set
// AnyFrame. A server that never answers Pings needs AnyFrame.
//
// # What it costs
//
// It costs no goroutine and, for each connection, a few hundred bytes and one
// timer, which wakes an idle connection once an interval. No timer is touched
// for a message, and no clock is read for one while no Ping is unanswered.
package heartbeat

import (
	"fmt"
	"math"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Options say when to ask and when to give up. A nil pointer and zero fields mean
// the defaults; a negative duration is refused.
type Options struct {
	// Interval is the time without a proof of life after which a Ping asks for one,
	// and the time from one Ping to the next while none is answered. Zero is 30
	// seconds.
	Interval time.Duration

	// Timeout is the time without a proof of life after which the connection ends with
	// a *result.ConnectionFailed. It begins with the last proof. From the first Ping
	// on, only such time counts as the package comment describes. The peer is looked at
	// once an interval, so the end may come up to an interval later. The
	// ConnectionFailed wraps an error that says what was waited for and how long; it is
	// a [net.Error] whose Timeout method returns true. Zero is 4 minutes and 59
	// seconds, or ten intervals where Interval is more than 30 seconds. It must be
	// longer than Interval.
	Timeout time.Duration

	// AnyFrame lets whatever comes from the peer prove it alive, for servers that
	// do not answer Pings. Otherwise only a Pong that answers one of our Pings
	// does: it alone proves that both directions work.
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
func (o *Operator) Attach(link *stream.Link) (stream.Hooks, error) {
	if err := o.Validate(); err != nil {
		return stream.Hooks{}, err
	}
	b := &beat{link: link, pulse: pulse{op: o}}
	control := func(f stream.Frame) error {
		if f.Type == stream.Pong && b.answered(f.Payload) {
			b.tell()
		}
		return nil
	}
	return stream.Hooks{Control: control, Timer: b.wake, State: b}, nil
}
