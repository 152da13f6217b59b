package main

import (
	"context"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// wsflow's ways to bring the messages of many connections into one channel,
// each with what a dialed connection has by default.
var (
	wsflowGatherAll       = wsflowGather(wsflowForwardAll, wsflowUse)
	wsflowGatherChan      = wsflowGather(wsflowForwardChan, wsflowUse)
	wsflowGatherBatches   = wsflowGather(wsflowForwardBatches, wsflowUseBatch)
	wsflowGatherCallbacks = wsflowGather(wsflowForwardCallbacks, useBytes)
)

// wsflowGather dials as a user does. The functions forward what a connection
// receives until it ends, and use what came out of the channel.
func wsflowGather[T any](
	forward func(*stream.Conn, chan<- T) error,
	use func(T, func([]byte) bool) bool,
) func() gathering {
	return funnel(func(t target, c chan<- T) (func() error, error) {
		conn, err := dial.Dial(context.Background(), t.url(), &dial.Options{TLSConfig: t.TLS})
		return func() error { return forward(conn, c) }, err
	}, use)
}

func wsflowForwardAll(conn *stream.Conn, c chan<- stream.Message) error {
	for message, err := range conn.All(context.Background()) {
		if err != nil {
			return err
		}
		c <- message.Clone()
	}
	return nil
}

func wsflowForwardChan(conn *stream.Conn, c chan<- stream.Message) error {
	messages := conn.Chan(context.Background(), nil)
	for message := range messages.C {
		c <- message
	}
	return messages.Err()
}

func wsflowForwardBatches(conn *stream.Conn, c chan<- []stream.Message) error {
	batches := conn.Batches(context.Background(), nil)
	for batch := range batches.C {
		c <- batch
	}
	return batches.Err()
}

// wsflowForwardCallbacks sets the callback up and waits for the end.
func wsflowForwardCallbacks(conn *stream.Conn, c chan<- []byte) error {
	conn.OnBinary(func(data []byte) { c <- data })
	_, err := conn.Result().Wait(context.Background())
	return err
}

func wsflowUse(message stream.Message, take func([]byte) bool) bool {
	more := take(message.Data)
	message.Release()
	return more
}

func wsflowUseBatch(batch []stream.Message, take func([]byte) bool) bool {
	for _, message := range batch {
		if !wsflowUse(message, take) {
			return false
		}
	}
	return true
}
