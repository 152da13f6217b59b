package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A connection over anything that reads and writes, in both roles: here over a
// pipe, where the opening handshake is taken as done.
func ExampleNew() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, err := stream.New(near, stream.Client, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	go func() { // until the connection ends
		for m := range server.Chan(ctx, nil).C {
			server.Send(ctx, m)
		}
	}()
	client.SendText(ctx, "hello")
	for m, err := range client.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m)
		client.Close(result.StatusNormalClosure, "done")
	}
	fmt.Println(client.Result().Wait(ctx))
	server.Result().Wait(ctx)
	// Output:
	// hello
	// 1000 "" <nil>
}

// shout answers each message until the peer closes.
func shout(ctx context.Context, url string) error {
	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	for message, err := range conn.All(ctx) {
		if err != nil {
			return err // why the connection ended, if that was no success
		}
		if err := conn.SendText(ctx, "you said "+message.String()); err != nil {
			return err
		}
	}
	return nil // the peer has closed with 1000
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		c.Write(context.Background(), websocket.MessageText, []byte("hello"))
		_, answer, _ := c.Read(context.Background())
		fmt.Println(string(answer))
		c.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()
	fmt.Println(shout(context.Background(), server.URL))
	// Output:
	// you said hello
	// <nil>
}

// A slow subscriber that needs no more than the last message does not hold up
// the others.
func ExampleConn_Chan() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	resume := client.Pause() // so that both begin with the same message
	all := client.Chan(ctx, nil)
	latest := client.Chan(ctx, &stream.SubscribeOptions{Policy: stream.Latest})
	resume()

	for i := range 3 {
		server.SendText(ctx, fmt.Sprint("price ", i))
	}
	server.Close(result.StatusNormalClosure, "")
	for m := range all.C {
		fmt.Println("all:", m)
	}
	for m := range latest.C {
		fmt.Println("latest:", m, "dropped:", latest.Dropped())
	}
	server.Result().Wait(ctx)
	// Output:
	// all: price 0
	// all: price 1
	// all: price 2
	// latest: price 2 dropped: 2
}

// A question and its answer, one message at a time.
func ExampleConn_Receive() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)
	go func() {
		question, _ := server.Receive(ctx)
		server.SendText(ctx, question.String()+" 4")
		server.Close(result.StatusNormalClosure, "done")
		server.Discard()
	}()

	client.SendText(ctx, "2 + 2 =")
	answer, err := client.Receive(ctx)
	fmt.Println(answer, err)
	_, err = client.Receive(ctx)
	fmt.Println(err)
	server.Result().Wait(ctx)
	// Output:
	// 2 + 2 = 4 <nil>
	// EOF
}

// JSON as values: a bad message is reported and is not the end.
func ExampleDecode() {
	type trade struct{ Price float64 }
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)
	go func() {
		server.SendText(ctx, `{"Price": 99.5}`)
		server.SendText(ctx, `oops`)
		server.SendText(ctx, `{"Price": 101}`)
		server.Close(result.StatusNormalClosure, "done")
		server.Discard()
	}()

	for t, err := range stream.Decode[trade](client.All(ctx), json.Unmarshal) {
		var bad *stream.DecodeError
		switch {
		case errors.As(err, &bad):
			fmt.Printf("skipped %q\n", bad.Message)
		case err != nil:
			fmt.Println(err) // the connection's end
		default:
			fmt.Println(t.Price)
		}
	}
	server.Result().Wait(ctx)
	// Output:
	// 99.5
	// skipped "oops"
	// 101
}

// Values as JSON, sent by a function for their type.
func ExampleEncode() {
	type order struct{ Symbol string }
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	send := stream.Encode(client.Send, stream.Text, json.Marshal)
	fmt.Println(send(ctx, order{"ACME"}))
	fmt.Println(send(ctx, make(chan int)))
	client.Close(result.StatusNormalClosure, "")
	for message, err := range server.All(ctx) {
		fmt.Println(message, err)
	}
	client.Result().Wait(ctx)
	// Output:
	// <nil>
	// json: unsupported type: chan int
	// {"Symbol":"ACME"} <nil>
}

// JSON as items of an Observable: a bad message is an error item, and the
// pipeline goes on.
func ExampleDecoder() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)
	go func() {
		server.SendText(ctx, `1`)
		server.SendText(ctx, `oops`)
		server.SendText(ctx, `2`)
		server.Close(result.StatusNormalClosure, "done")
		server.Discard()
	}()

	numbers := client.Observable(nil).Map(stream.Decoder[int](json.Unmarshal),
		rxgo.WithErrorStrategy(rxgo.ContinueOnError))
	for item := range numbers.Observe(rxgo.WithContext(ctx)) {
		fmt.Println(item.V, item.E)
	}
	server.Result().Wait(ctx)
	// Output:
	// 1 <nil>
	// <nil> wsflow: a text message of 4 bytes cannot be decoded: invalid character 'o' looking for beginning of value
	// 2 <nil>
}
