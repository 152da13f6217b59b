package dial

import (
	"context"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/stream"
)

// quick are the default operators of a connection that another one can replace: a
// peer that is silent for 30 s is given up.
var quick = DefaultOperators(heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: 30 * time.Second}))

// Redial returns a source that dials the URL, and again whenever its connection is
// lost: package redial says how. Each dial is a [Dial] with these options. If
// Options.Operators is nil, the heartbeat asks every 10 s and gives up a silent peer
// after 30 s. A server that answers no Pings needs heartbeat.Options.AnyFrame.
//
// Options.Logger and Options.Post are the source's too, unless r has its own.
//
// A URL or options that [Dial] refuses end the source, as do a nil ctx and bad
// options in r. Each dial has the same URL and options: a program whose token
// changes calls [redial.New] with a function that dials.
func Redial(ctx context.Context, url string, opts *Options, r *redial.Options) *redial.Source {
	var own Options
	if opts != nil {
		own = *opts
	}
	if own.Operators == nil {
		own.Operators = quick
	}
	var policy redial.Options
	if r != nil {
		policy = *r
	}
	if policy.Logger == nil {
		policy.Logger = own.Logger
	}
	if policy.Post == nil {
		policy.Post = own.Post
	}
	dial := func(ctx context.Context) (*stream.Conn, error) { return Dial(ctx, url, &own) }
	return redial.New(ctx, dial, &policy)
}
