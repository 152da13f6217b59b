// Package faces is the suite that every way of taking messages must pass, over
// every kind of source: a connection, a Relay, and what is built on a Relay.
//
// A package that makes sources runs it with [Run]: it says how to make one, how to
// have messages come, and how to end it.
package faces

import (
	"context"
	"sync"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Subject is a source with all faces: a *stream.Conn, a *stream.Relay, and what
// embeds one.
type Subject interface {
	stream.Source
	Observable(opts *stream.SubscribeOptions) rxgo.Observable
	ObservableBatches(opts *stream.SubscribeOptions) rxgo.Observable
	OnText(f func(text string)) (stop func())
	OnBinary(f func(data []byte)) (stop func())
	Pause() (resume func())
}

// A Rig is a subject under test, and what makes it work. Each is made in a
// testing/synctest bubble of its own, and has to clean up by t.Cleanup.
type Rig struct {
	Subject Subject
	// Sends has text messages come out of the subject, in this order and behind those
	// of earlier calls. It does not wait until they are taken.
	Sends func(texts ...string)
	// Notices is how many Notices come among the texts of one call of Sends, if they
	// are many texts: not behind the last ten.
	Notices int
	// Ends has the subject end, once it has given all that was sent: with success, or
	// with any error. It does not wait.
	Ends func(success bool)
}

// A Make makes a rig.
type Make func(t *testing.T) *Rig

// A face is one way of taking messages.
type face struct {
	name string
	// take takes messages, and hands each text to got, until the source or ctx ends or
	// got returns false. It hands on all that it was given until then, and returns
	// when it has ended.
	take func(ctx context.Context, s Subject, got func(string) bool) error

	exclusive bool // a second taker gets an error
	endless   bool // it has no end of its own: callbacks
	mute      bool // it cannot tell the cause of its context's end
}

var faces = []face{
	{name: "All", take: takeAll, exclusive: true},
	{name: "Chan", take: takeChan},
	{name: "Batches", take: takeBatches},
	{name: "Observable", take: takeObservable, mute: true},
	{name: "ObservableBatches", take: takeObservableBatches, mute: true},
	{name: "callbacks", take: takeCallbacks, endless: true, mute: true},
}

func takeAll(ctx context.Context, s Subject, got func(string) bool) error {
	for m, err := range s.All(ctx) {
		if err != nil {
			return err
		}
		if m.Type != stream.Notice && !got(m.String()) {
			return nil
		}
	}
	return nil
}

func takeChan(ctx context.Context, s Subject, got func(string) bool) error {
	sub := s.Chan(ctx, nil)
	for m := range sub.C { // to the end: what stands in the channel was given
		if m.Type != stream.Notice && !got(m.String()) {
			sub.Cancel()
		}
		m.Release()
	}
	return sub.Err()
}

func takeBatches(ctx context.Context, s Subject, got func(string) bool) error {
	sub := s.Batches(ctx, nil)
	for batch := range sub.C {
		if !hand(batch, got) {
			sub.Cancel()
		}
	}
	return sub.Err()
}

// hand hands on the messages of a batch, all of them.
func hand(batch []stream.Message, got func(string) bool) (more bool) {
	more = true
	for _, m := range batch {
		if m.Type != stream.Notice && !got(m.String()) {
			more = false
		}
	}
	return more
}

func takeObservable(ctx context.Context, s Subject, got func(string) bool) error {
	return observe(ctx, s.Observable(nil), func(v any) bool {
		return hand([]stream.Message{v.(stream.Message)}, got)
	})
}

func takeObservableBatches(ctx context.Context, s Subject, got func(string) bool) error {
	return observe(ctx, s.ObservableBatches(nil), func(v any) bool { return hand(v.([]stream.Message), got) })
}

func observe(ctx context.Context, o rxgo.Observable, got func(any) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var last error
	for item := range o.Observe(rxgo.WithContext(ctx)) { // to the end, as for Chan
		if item.E != nil {
			last = item.E
		} else if !got(item.V) {
			cancel()
		}
	}
	return last
}

func takeCallbacks(ctx context.Context, s Subject, got func(string) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var once sync.Once
	var stop func()
	resume := s.Pause() // until there is something to stop
	stop = s.OnText(func(text string) {
		if !got(text) {
			once.Do(stop)
			cancel()
		}
	})
	resume()
	defer once.Do(stop)
	select {
	case <-ctx.Done():
	case <-s.Done():
		ended := make(chan struct{})
		s.Result().Then(func(result.Status) { close(ended) }, func(error) { close(ended) }) // after the callbacks
		<-ended
	}
	return nil
}
