package wsflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// echo starts a server that sends every message back.
func echo() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(context.Background())
			if err != nil || c.Write(context.Background(), kind, data) != nil {
				return
			}
		}
	}))
}

// A connection as an Observable, and a sink: prices go out as JSON, come back,
// and are decoded and filtered. One of them is no JSON, which does not end the
// pipeline.
func Example_observable() {
	server := echo()
	defer server.Close()
	ctx := context.Background()
	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}

	goOn := rxgo.WithErrorStrategy(rxgo.ContinueOnError)
	prices := conn.Observable(nil).
		Map(stream.Decoder[float64](json.Unmarshal), goOn).
		Filter(func(item any) bool { return item.(float64) > 100 }, goOn)

	sink := conn.Sink(ctx, &stream.SinkOptions{CloseConn: true})
	for _, text := range []string{"99.5", "100.5", "n/a", "101"} {
		sink <- stream.Message{Type: stream.Text, Data: []byte(text)}
	}
	close(sink) // what stands in it is sent, then the connection closes with 1000

	for item := range prices.Observe(rxgo.WithContext(ctx)) {
		if item.E != nil {
			fmt.Println("bad:", item.E) // a message that is no JSON; at the end, why the connection failed
			continue
		}
		fmt.Println(item.V)
	}
	// Output:
	// 100.5
	// bad: wsflow: a text message of 3 bytes cannot be decoded: invalid character '/' in literal null (expecting 'u')
	// 101
}

// Callbacks and a promise.
func Example_callbacks() {
	server := echo()
	defer server.Close()
	ctx := context.Background()

	promise := dial.Connect(ctx, server.URL, func(conn *stream.Conn) error {
		conn.OnText(func(text string) {
			fmt.Println("text:", text)
			conn.Close(result.StatusNormalClosure, "done")
		})
		return conn.SendText(ctx, "hello")
	}, nil)

	status, err := promise.Wait(ctx)
	fmt.Println(status, err)
	// Output:
	// text: hello
	// 1000 "done" <nil>
}
