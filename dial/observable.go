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
// clean end there is none. Since each Observe dials, rxgo's Retry reconnects;
// a backoff between its attempts is the caller's.
//
// The connection is closed with 1000 when the observer's context ends, which is
// the one that rxgo.WithContext sets. An operator that stops early without
// ending it, such as Take, leaves the connection open: the queue, of which nil
// is the defaults, says what then happens to messages. An observer that takes
// nothing for a minute after the connection has ended is given up.
//
// Nothing can be sent this way. To send something on each connection, such as
// what to subscribe to, write the same few lines with [Dial] and
// [stream.Conn.Produce].
func Observable(url string, opts *Options, q *stream.Queue) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		conn, err := Dial(ctx, url, opts)
		if err != nil {
			rxgo.Error(err).SendContext(ctx, next)
			return
		}
		defer conn.Close(result.StatusNormalClosure, "")
		conn.Produce(ctx, next, q)
	}})
}
