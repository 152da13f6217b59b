// Ticker makes a table out of a stream of trades, with a pipeline of rxgo.
//
//	go run ./examples/ticker
//	go run ./examples/ticker ACME HOOLI,WONKA
//
// It starts a server, which plays a recording in compressed messages, connects
// to it, subscribes to the symbols of its first argument and, after each window
// of trades, to those of the next one. For each window it prints the number of
// trades, the volume, the volume-weighted average price and the extremes of
// each symbol; at the end, the code and the reason with which the server
// closed. The exit status is 0 if that was a success and 1 if not: try NOPE.
// What is said on the connection beside the trades goes to standard error.
//
// See pipeline.go for how messages become windows. The server, which uses
// another library, is in server.go.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// pace is the time between two bursts of the server.
const pace = 40 * time.Millisecond

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, time.Tick(pace)))
}

// run is the program: the server, which plays at each tick, and its client. It
// returns the exit status.
func run(args []string, stdout, stderr io.Writer, tick <-chan time.Time) int {
	diary := log.New(stderr, "ticker: ", 0)
	if len(args) == 0 {
		args = []string{"ACME,GLOBEX", "INITECH"}
	}
	url, shut, err := newMarket(tick).open()
	if err != nil {
		diary.Print(err)
		return 1
	}
	defer shut()
	if err := watch(url, args, stdout, diary); err != nil {
		diary.Print(err)
		return 1
	}
	return 0
}

// watch prints the table. It returns an error if the connection could not be
// made, or did not end with a success.
func watch(url string, subscriptions []string, out io.Writer, diary *log.Logger) error {
	// An operator of rxgo that stops early tells nobody. The end of this
	// context tells all of them, and ends the sink.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)

	seen := &census{diary: diary}
	windows := pipeline(conn.Observable(nil), seen).
		Observe(rxgo.WithContext(ctx), rxgo.WithBufferedChannel(64))

	sink := conn.Sink(ctx, nil)
	subscriptions = subscribe(sink, subscriptions, diary)
	for item := range windows {
		if item.Error() {
			break // the connection ended with it: see below
		}
		item.V.(window).print(out)
		subscriptions = subscribe(sink, subscriptions, diary)
	}

	status, err := conn.Result().Wait(ctx)
	if state, ok := deflate.Of(conn); ok && err == nil {
		bytes := state.Received()
		fmt.Fprintf(out, "\n%v\n%d bytes came as %d\n", seen, bytes.Plain, bytes.Compressed)
	}
	fmt.Fprintf(out, "[%d, %s]\n", status.Code, status.Reason)
	return err
}

// subscribe sends the first of the subscriptions and returns the others.
func subscribe(sink chan<- stream.Message, subscriptions []string, diary *log.Logger) []string {
	if len(subscriptions) == 0 {
		return nil
	}
	data, err := json.Marshal(request{strings.Split(subscriptions[0], ",")})
	if err != nil {
		panic(err) // strings can be marshalled
	}
	diary.Printf("-> %s", data)
	sink <- stream.Message{Type: stream.Text, Data: data}
	return subscriptions[1:]
}
