package dial

import (
	"context"
	"time"

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
// Nothing can be sent this way; [stream.Conn.Observable] is for connections
// that are also written to.
func Observable(url string, opts *Options, q *stream.Queue) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		conn, err := Dial(ctx, url, opts)
		if err != nil {
			rxgo.Error(err).SendContext(ctx, next)
			return
		}
		defer conn.Close(result.StatusNormalClosure, "")
		e := emitter{ctx: ctx, next: next, done: conn.Done()}
		messages := conn.Chan(ctx, q)
		defer messages.Cancel()
		for m := range messages.C {
			if !e.emit(rxgo.Of(m)) {
				return
			}
		}
		if err := messages.Err(); err != nil && ctx.Err() == nil {
			e.emit(rxgo.Error(err))
		}
	}})
}

// giveUpAfter is how long an observer may take nothing once the connection has
// ended.
const giveUpAfter = time.Minute

// An emitter hands items to an observer.
type emitter struct {
	ctx  context.Context
	next chan<- rxgo.Item
	done <-chan struct{} // closed when the connection has ended
}

// emit returns false if the observer is gone.
func (e emitter) emit(item rxgo.Item) bool {
	select {
	case e.next <- item:
		return true
	case <-e.ctx.Done():
		return false
	case <-e.done:
	}
	timer := time.NewTimer(giveUpAfter)
	defer timer.Stop()
	select {
	case e.next <- item:
		return true
	case <-e.ctx.Done():
		return false
	case <-timer.C:
		return false
	}
}
