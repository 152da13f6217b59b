package dial

import (
	"context"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Observable returns a cold Observable: each Observe dials a connection of its
// own and emits its messages, which are of the type [stream.Message] and belong
// to the observer. An error, of the arguments too, is the last item; after a
// clean end there is none.
//
// A feed that is to last is better made by [Redial]: it backs off, tells where
// messages may be missing, and can send. Since each Observe dials, rxgo's Retry
// reconnects, too. It begins to observe when it is built, with the options given
// to it, so the context must be given to Retry as well as to Observe. It does not
// wait between two attempts: on a port where nobody listens it dials thousands of
// times a second. Wait in the function that it calls after each error:
//
//	pause := func(error) bool {
//		select {
//		case <-time.After(wait):
//			return true // dial again
//		case <-ctx.Done():
//			return false
//		}
//	}
//	items := cold.Retry(attempts, pause, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
//
// Do not use BackOffRetry: in rxgo v2.5.0 it panics when its context ends,
// because it closes a channel twice.
//
// The connection is closed with 1000 when the observer's context ends, which is
// the one that rxgo.WithContext sets. An operator that stops early without
// ending it, such as Take, leaves the connection open: sub says what then happens
// to messages, and nil means the defaults. An observer that takes nothing for ten
// minutes after the connection has ended, or for sub's Timeout, is given up: see
// [stream.Conn.Observable].
//
// Nothing can be sent this way. To send something on each connection, such as
// what to subscribe to, write the same few lines with [Dial] and
// [stream.Conn.Produce].
func Observable(url string, opts *Options, sub *stream.SubscribeOptions) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		conn, err := Dial(ctx, url, opts)
		if err != nil {
			rxgo.Error(err).SendContext(ctx, next)
			return
		}
		defer conn.Close(result.StatusNormalClosure, "")
		conn.Produce(ctx, next, sub)
	}})
}
