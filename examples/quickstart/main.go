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
	ctx := context.Background()
	conn, err := dial.Dial(ctx, flag.Arg(0), nil)
	if err != nil {
		log.Fatal(err)
	}
	conn.SendText(ctx, "hello")
	for message, err := range conn.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(message)
		conn.Close(result.StatusNormalClosure, "thanks")
	}
	status, _ := conn.Result().Status()
	fmt.Println(status)
}
