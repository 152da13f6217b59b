// Command quickstart says hello to a WebSocket server and prints its answer.
//
//	go run ./examples/quickstart [URL]
//
// Without a URL it talks to a server of its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
)

func main() {
	flag.Parse()
	if err := hello(context.Background(), flag.Arg(0)); err != nil {
		log.Fatal(err)
	}
}

// hello sends a message, prints those that come until it has seen one, and closes.
func hello(ctx context.Context, url string) error {
	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	conn.SendText(ctx, "hello")
	for message, err := range conn.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(message)
		break
	}
	return conn.Shutdown(ctx, result.StatusNormalClosure, "thanks") // closes, and waits for the peer's Close
}
