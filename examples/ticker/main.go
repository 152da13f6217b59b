// Ticker makes a table out of a stream of trades, with a pipeline of rxgo.
//
//	go run ./examples/ticker
//	go run ./examples/ticker ACME HOOLI,WONKA
//
// It starts a market, connects to it, subscribes to the symbols of its first
// argument and, after each window of trades, to those of the next one. On a
// terminal the table shows the last window and the course of each price; anywhere
// else each window is printed. At the end come the code and the reason with which
// the market closed. The exit status is 1 if that was no success: try NOPE.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// pace is the time between two bursts of the market.
const pace = 60 * time.Millisecond

func main() {
	out := &table{out: os.Stdout, live: isTerminal(os.Stdout)}
	os.Exit(run(os.Args[1:], out, os.Stderr, time.Tick(pace)))
}

// run is the program: the market, which plays at each tick, and its client. It
// returns the exit status.
func run(args []string, out *table, stderr io.Writer, tick <-chan time.Time) int {
	if len(args) == 0 {
		args = []string{"ACME,GLOBEX", "INITECH"}
	}
	diary := stderr
	if out.live {
		diary = io.Discard // it would come between the lines of the table
	}
	url, shut, err := open(tick, diary)
	if err == nil {
		defer shut()
		err = watch(url, args, out)
	}
	if err != nil {
		fmt.Fprintln(stderr, "ticker:", err)
		return 1
	}
	return 0
}

// watch fills the table. It returns an error if the connection could not be made,
// or did not end with a success.
func watch(url string, subscriptions []string, out *table) error {
	// An operator of rxgo that stops early tells nobody. The end of this
	// context tells all of them, and ends the sink.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)

	sink := conn.Sink(ctx, nil)
	subscribe := func() {
		if len(subscriptions) > 0 {
			sink <- request(subscriptions[0])
			subscriptions = subscriptions[1:]
		}
	}
	subscribe()
	bad := 0
	for item := range pipeline(conn.Observable(nil)).Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(64)) {
		switch {
		case item.E == nil:
			out.print(item.V.(window))
			subscribe()
		case errors.As(item.E, new(*stream.DecodeError)):
			bad++ // the pipeline goes on; any other error is the connection's, and the last item
		}
	}

	status, err := conn.Result().Wait(ctx)
	if state, ok := deflate.Of(conn); ok && err == nil {
		bytes := state.Received()
		fmt.Fprintf(out.out, "\n%d bad messages; %d bytes came as %d\n", bad, bytes.Plain, bytes.Compressed)
	}
	fmt.Fprintf(out.out, "[%v]\n", status)
	return err
}

// request asks for symbols that are separated by commas.
func request(symbols string) stream.Message {
	data, err := json.Marshal(strings.Split(symbols, ","))
	if err != nil {
		panic(err) // strings can be marshalled
	}
	return stream.Message{Type: stream.Text, Data: data}
}
