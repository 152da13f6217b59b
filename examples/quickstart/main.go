// Command quickstart says hello to a WebSocket server and prints its answer.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
)

func main() {
	ctx := context.Background()
	conn, err := dial.Dial(ctx, os.Args[1], nil)
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
