package stream_test

import (
	"context"
	"fmt"
	"net"

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

// A slow subscriber that needs no more than the last message does not hold up
// the others.
func ExampleConn_Chan() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	resume := client.Pause() // so that both begin with the same message
	all := client.Chan(ctx, nil)
	latest := client.Chan(ctx, &stream.Queue{Policy: stream.Latest})
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
