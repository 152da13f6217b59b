package recipes_test

import (
	"context"
	"fmt"
	"log"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// display lets four prices wait to be shown. Older ones give way.
var display = &stream.SubscribeOptions{Size: 4, Policy: stream.DropOldest}

// show shows prices, and where some are missing.
func show(prices *stream.Subscription[stream.Message]) error {
	for price := range prices.C {
		if n := price.Skipped(); n > 0 {
			fmt.Printf("(%d are missing)\n", n)
		}
		fmt.Println(price)
		price.Release()
	}
	return prices.Err()
}

func Example_slowConsumer() {
	server := talk(say("1", "2", "3", "4", "5", "6", "7", "8", "9", "10"))
	defer server.Close()
	ctx := context.Background()
	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}

	prices := conn.Chan(ctx, display)
	<-conn.Done() // the display is slow: all prices have come before it shows the first
	fmt.Println(show(prices))
	// Output:
	// (6 are missing)
	// 7
	// 8
	// 9
	// 10
	// <nil>
}
