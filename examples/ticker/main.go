// Ticker makes a table out of a stream of trades, with a pipeline of rxgo.
//
//	go run ./examples/ticker
//	go run ./examples/ticker ACME WONKA
//
// It starts a market and subscribes to symbols. On a terminal the table shows the
// last window of trades and the course of each price; anywhere else each window is
// printed as plain text. At the end come the code and the reason with which the
// market closed. The exit status is 1 if that was no success: try NOPE.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

func main() {
	symbols := os.Args[1:]
	if len(symbols) == 0 {
		symbols = []string{"ACME", "GLOBEX", "HOOLI", "INITECH"}
	}
	market := newMarket(time.Tick(60 * time.Millisecond))
	if err := watch(market.URL, symbols, newTable(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "ticker:", err)
		os.Exit(1)
	}
}

// watch shows the trades in some symbols until the market closes. It returns an
// error if the connection could not be made, or did not end with a success.
func watch(url string, symbols []string, t *table) error {
	// Operators of rxgo that stop early tell nobody. The end of this context does.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	subscribe := stream.Encode(conn.Send, stream.Text, json.Marshal)
	if err := subscribe(ctx, symbols); err != nil {
		return err
	}
	bad := 0
	for item := range windows(conn.Observable(nil)).Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(64)) {
		switch {
		case item.E == nil:
			t.show(item.V.(window))
		case errors.As(item.E, new(*stream.DecodeError)):
			bad++ // the pipeline goes on; any other error is the connection's, and the last item
		}
	}
	status, err := conn.Result().Wait(ctx)
	fmt.Fprintf(t.out, "\n%d bad messages; the end: %v\n", bad, status)
	return err
}
