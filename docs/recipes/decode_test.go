package recipes_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

type trade struct {
	Symbol string
	Size   int
}

// printTrades passes over messages that are no trades, and says so.
func printTrades(ctx context.Context, conn *stream.Conn) error {
	for t, err := range stream.Decode[trade](conn.All(ctx), json.Unmarshal) {
		var bad *stream.DecodeError
		switch {
		case errors.As(err, &bad):
			fmt.Printf("%v: %s\n", err, bad.Message)
			bad.Message.Release()
		case err != nil:
			return err // the connection's end, or the context's
		default:
			fmt.Println(t.Symbol, t.Size)
		}
	}
	return nil
}

// largeTrades is the same as a pipeline. Without the option the first error in
// it would end it.
func largeTrades(conn *stream.Conn) rxgo.Observable {
	goOn := rxgo.WithErrorStrategy(rxgo.ContinueOnError)
	return conn.Observable(nil).
		Map(stream.Decoder[trade](json.Unmarshal), goOn).
		Filter(func(item any) bool { return item.(trade).Size >= 100 }, goOn)
}

func Example_decode() {
	server := talk(say(`{"Symbol":"A","Size":500}`, `n/a`, `{"Symbol":"B","Size":7}`))
	defer server.Close()
	ctx := context.Background()

	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(printTrades(ctx, conn))
	// Output:
	// A 500
	// wsflow: a text message of 3 bytes cannot be decoded: invalid character '/' in literal null (expecting 'u'): n/a
	// B 7
	// <nil>
}

func Example_decodePipeline() {
	server := talk(say(`{"Symbol":"A","Size":500}`, `n/a`, `{"Symbol":"B","Size":7}`))
	defer server.Close()
	ctx := context.Background()

	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	for item := range largeTrades(conn).Observe(rxgo.WithContext(ctx)) {
		fmt.Println(item.V, item.E != nil)
	}
	// Output:
	// {A 500} false
	// <nil> true
}
