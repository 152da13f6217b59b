package recipes_test

import (
	"context"
	"fmt"
	"log"

	"github.com/coder/websocket"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// receive handles messages until the server closes, or ctx ends: then it closes,
// and still handles what the server sends before its own Close.
//
// In main: ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
func receive(ctx context.Context, conn *stream.Conn, handle func(stream.Message)) error {
	stop := context.AfterFunc(ctx, func() { conn.Close(result.StatusNormalClosure, "the program ends") })
	defer stop()
	for message, err := range conn.All(context.WithoutCancel(ctx)) {
		if err != nil {
			return err
		}
		handle(message)
	}
	return nil // both sides have closed
}

func Example_gracefulEnd() {
	server := talk(func(ctx context.Context, c *websocket.Conn) {
		say("one", "two")(ctx, c)
		c.Read(ctx) // until the client closes
	})
	defer server.Close()
	conn, err := dial.Dial(context.Background(), server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}

	ctx, interrupt := context.WithCancel(context.Background())
	err = receive(ctx, conn, func(m stream.Message) {
		fmt.Println(m)
		interrupt() // somebody presses Ctrl-C
	})
	status, _ := conn.Result().Status()
	fmt.Println(err, status.Sent, status.Received)
	// Output:
	// one
	// two
	// <nil> 1000 1000
}
