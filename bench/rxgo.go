package main

import (
	"context"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/stream"
)

// rxgoDefer is what rxgo itself can do with items of the same type, out of a
// channel that nothing but a loop fills.
var rxgoDefer = &library{name: "rxgo Defer", kind: baseline, receive: rxgoReceive}

// observed is the option of every Observe, the baseline's and ours: rxgo's
// default is a channel without a buffer.
func observed(t target) rxgo.Option {
	if t.Buffered {
		return rxgo.WithBufferedChannel(256)
	}
	return rxgo.WithBufferedChannel(0)
}

// rxgoReceive leaves its goroutines behind: the process ends with the
// measurement.
func rxgoReceive(t target, tally *tally) error {
	from := make(chan stream.Message, 256)
	go func() {
		message := stream.Message{Type: stream.Binary, Data: messages(contentBinary, t.Size)[0]}
		for {
			from <- message
		}
	}()
	source := rxgo.Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
		for message := range from {
			next <- rxgo.Of(message)
		}
	}})
	for item := range source.Observe(observed(t)) {
		if !tally.take(item.V.(stream.Message).Data) {
			break
		}
	}
	return nil
}

var (
	wsflowObservable        = &library{name: "wsflow Observable", kind: ours, receive: wsflowObserve}
	wsflowObservableBatches = &library{name: "wsflow ObservableBatches", kind: ours, receive: wsflowObserveBatches}
)

func wsflowObserve(t target, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	for item := range conn.Observable(nil).Observe(observed(t)) {
		if item.Error() {
			return item.E
		}
		message := item.V.(stream.Message)
		more := tally.take(message.Data)
		message.Release()
		if !more {
			break
		}
	}
	return nil
}

func wsflowObserveBatches(t target, tally *tally) error {
	conn, err := wsflowDial(t)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	for item := range conn.ObservableBatches(nil).Observe(observed(t)) {
		if item.Error() {
			return item.E
		}
		for _, message := range item.V.([]stream.Message) {
			more := tally.take(message.Data)
			message.Release()
			if !more {
				return nil
			}
		}
	}
	return nil
}
