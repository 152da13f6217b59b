package recipes_test

import (
	"context"
	"encoding/json"
	"expvar"
	"fmt"
	"log"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

var connections = expvar.NewMap("connections")

// publish shows in /debug/vars what a connection does, until it ends.
func publish(name string, conn *stream.Conn) {
	connections.Set(name, expvar.Func(func() any {
		vars := map[string]any{"stats": conn.Stats()}
		if state, ok := heartbeat.Of(conn); ok {
			vars["rtt"] = state.RTT()
		}
		if state, ok := deflate.Of(conn); ok {
			vars["compressed"] = state.Received()
		}
		return vars
	}))
	remove := func() { connections.Delete(name) }
	conn.Result().Then(func(result.Status) { remove() }, func(error) { remove() })
}

func Example_metrics() {
	server := talk(echo)
	defer server.Close()
	ctx := context.Background()
	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	publish("prices", conn)

	conn.SendText(ctx, "one")
	conn.SendText(ctx, "two")
	for range 2 {
		message, err := conn.Receive(ctx)
		if err != nil {
			log.Fatal(err)
		}
		message.Release()
	}
	var seen map[string]struct {
		Stats struct{ MessagesIn, MessagesOut int }
	}
	if err := json.Unmarshal([]byte(connections.String()), &seen); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%+v\n", seen)

	ended := make(chan struct{})
	conn.Result().Then(func(result.Status) { close(ended) }, nil) // runs behind those that were there before
	conn.Shutdown(ctx, result.StatusNormalClosure, "")
	<-ended
	fmt.Println(connections)
	// Output:
	// map[prices:{Stats:{MessagesIn:2 MessagesOut:2}}]
	// {}
}
