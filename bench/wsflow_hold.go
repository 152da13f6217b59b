package main

import (
	"context"

	"github.com/wsflow/wsflow/stream"
)

func wsflowHold(t target, first [][]byte) (func() error, error) {
	conn, err := wsflowDial(t)
	for i := 0; err == nil && i < len(first); i++ {
		err = conn.Send(context.Background(), wsflowMessage(t, first[i]))
	}
	return func() error { return wsflowAwait(conn) }, err
}

func wsflowHoldBare(t target, _ [][]byte) (func() error, error) {
	conn, err := wsflowOpen(t)
	return func() error { return wsflowAwait(conn) }, err
}

func wsflowAwait(conn *stream.Conn) error {
	for _, err := range conn.All(context.Background()) {
		if err != nil {
			return err
		}
	}
	return nil
}

func wsflowHoldChan(t target, _ [][]byte) (func() error, error) {
	conn, err := wsflowDial(t)
	return func() error { return wsflowDrain(conn.Chan(context.Background(), nil)) }, err
}

func wsflowHoldBatches(t target, _ [][]byte) (func() error, error) {
	conn, err := wsflowDial(t)
	return func() error { return wsflowDrain(conn.Batches(context.Background(), nil)) }, err
}

func wsflowDrain[T any](s *stream.Subscription[T]) error {
	for range s.C {
	}
	return s.Err()
}

// wsflowHoldCallbacks leaves no goroutine of the program's own behind.
func wsflowHoldCallbacks(t target, _ [][]byte) (func() error, error) {
	conn, err := wsflowDial(t)
	return func() error {
		conn.OnBinary(func([]byte) {})
		return nil
	}, err
}
