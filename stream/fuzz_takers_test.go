package stream_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// takers are those who take the messages of a scheduled connection: loops over
// All, one after the other, or subscribers at the same time.
type takers struct {
	shared bool
	all    []*cancellable
}

type cancellable struct {
	cancel  context.CancelFunc
	over    bool // cancelled
	taker   *taker
	sub     *stream.Subscription[stream.Message]
	alone   bool // it is the first one
	results []string
}

const mostTakers = 4

// add starts a taker, if there may be another one.
func (ts *takers) add(c *stream.Conn) {
	if len(ts.all) == mostTakers || !ts.shared && len(ts.all) > 0 && !ts.last().over {
		return
	}
	ts.start(c)
}

func (ts *takers) start(c *stream.Conn) {
	inner, cancel := context.WithCancel(ctx)
	one := &cancellable{cancel: cancel, alone: len(ts.all) == 0}
	if ts.shared {
		one.sub = c.Chan(inner, nil)
		one.taker = receive(one.sub)
	} else {
		if len(ts.all) > 0 {
			<-ts.last().taker.done
		}
		one.taker = takeAllIn(inner, c)
	}
	ts.all = append(ts.all, one)
}

func (ts *takers) last() *cancellable { return ts.all[len(ts.all)-1] }

// receive is takeAllIn for a subscription.
func receive(sub *stream.Subscription[stream.Message]) *taker {
	app := &taker{done: make(chan struct{})}
	go func() {
		defer close(app.done)
		for m := range sub.C {
			app.messages = append(app.messages, m)
		}
		app.err = sub.Err()
	}()
	return app
}

func (ts *takers) cancel(which int) {
	if len(ts.all) == 0 {
		return
	}
	one := ts.last()
	if ts.shared {
		one = ts.all[which%len(ts.all)]
	}
	one.over = true
	one.cancel()
}

// count returns how many messages the loops have got, when nothing moves; -1 if
// there is none at work.
func (ts *takers) count() (n int) {
	if ts.shared || len(ts.all) == 0 || ts.last().over {
		return -1
	}
	for _, one := range ts.all {
		n += len(one.taker.messages)
	}
	return n
}

// ends waits for all takers. Loops that were cancelled are followed by one that
// takes the rest, as is nobody at all.
func (ts *takers) ends(t *testing.T, c *stream.Conn) {
	t.Helper()
	if len(ts.all) == 0 || !ts.shared && ts.last().over {
		ts.start(c)
	}
	for _, one := range ts.all {
		within(t, "the end of a taker", one.taker.done)
		for _, m := range one.taker.messages {
			one.results = append(one.results, m.String())
		}
		if err := one.taker.err; err != status(t, c).Err && !(one.over && errors.Is(err, context.Canceled)) {
			t.Errorf("a taker ended with %v, the connection with %v", err, status(t, c).Err)
		}
	}
}

// deliveries judges what the takers got. Nothing comes twice, in another order
// or with gaps. What came a second before the end comes to those who waited for
// it, unless CloseNow was called, be it after the end.
func (s *schedule) deliveries(t *testing.T, end result.Status) {
	var sent []string
	due := 0
	for _, m := range s.sent {
		sent = append(sent, m.text)
		if m.at+seenWithin <= s.at.end || end.Received != 0 {
			due++
		}
	}
	if s.at.closeNow < never {
		due = 0
	}
	if !s.takers.shared {
		var got []string
		for _, one := range s.takers.all {
			got = append(got, one.results...)
		}
		if len(got) > len(sent) || !slices.Equal(got, sent[:len(got)]) || len(got) < due {
			t.Errorf("the loops got %q of %q, of which %d are due", got, sent, due)
		}
		if s.taken >= 0 && s.taken < due {
			t.Errorf("the loops had got %d messages, of which %d were due", s.taken, due)
		}
		return
	}
	for i, one := range s.takers.all {
		from := 0
		if len(one.results) > 0 {
			from = max(0, slices.Index(sent, one.results[0]))
		}
		to := min(from+len(one.results), len(sent))
		if !slices.Equal(one.results, sent[from:to]) || one.alone && (from > 0 || !one.over && to < due) {
			t.Errorf("subscriber %d got %q of %q, of which %d are due", i, one.results, sent, due)
		}
	}
}
