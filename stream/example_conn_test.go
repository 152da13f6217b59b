package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A channel whose end is the end of the connection.
func ExampleConn_Sink() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	sink := client.Sink(ctx, &stream.SinkOptions{CloseConn: true})
	for _, text := range []string{"one", "two"} {
		sink <- stream.Message{Type: stream.Text, Data: []byte(text)}
	}
	close(sink) // what stands in it is sent, then the connection closes with 1000

	for message, err := range server.All(ctx) {
		fmt.Println(message, err)
	}
	fmt.Println(client.Result().Wait(ctx))
	// Output:
	// one <nil>
	// two <nil>
	// 1000 "" <nil>
}

// Messages that cannot be sent come back.
func ExampleConn_Pipe() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	orders := make(chan stream.Message, 2)
	orders <- stream.Message{Type: stream.Text, Data: []byte("buy")}
	orders <- stream.Message{Type: stream.Text, Data: []byte("se\xffl")}
	close(orders)
	unsent, err := client.Pipe(ctx, orders)
	var argument *result.ArgumentError
	fmt.Printf("%q %t\n", unsent, errors.As(err, &argument))

	client.Close(result.StatusNormalClosure, "")
	for message, err := range server.All(ctx) {
		fmt.Println(message, err)
	}
	client.Result().Wait(ctx)
	// Output:
	// ["se\xffl"] true
	// buy <nil>
}

// One message that is written, and read, piece by piece.
func ExampleConn_Writer() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	go func() {
		w, err := client.Writer(ctx, stream.Text)
		if err != nil {
			return
		}
		for i := range 3 {
			fmt.Fprintln(w, "line", i)
		}
		w.Close() // ends the message
		client.Close(result.StatusNormalClosure, "")
	}()
	kind, r, err := server.Reader(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(kind)
	io.Copy(os.Stdout, r)
	_, _, err = server.Reader(ctx)
	fmt.Println(err)
	client.Result().Wait(ctx)
	// Output:
	// text
	// line 0
	// line 1
	// line 2
	// EOF
}

// Messages of one burst come as one slice.
func ExampleConn_Batches() {
	ctx := context.Background()
	near, far := net.Pipe()
	client, _ := stream.New(near, stream.Client, nil)
	server, _ := stream.New(far, stream.Server, nil)

	go func() {
		for i := range 1000 {
			client.SendText(ctx, fmt.Sprint(i))
		}
		client.Close(result.StatusNormalClosure, "")
	}()
	batches := server.Batches(ctx, nil)
	count := 0
	for batch := range batches.C {
		count += len(batch)
		for _, message := range batch {
			message.Release()
		}
	}
	fmt.Println(count, batches.Err())
	client.Result().Wait(ctx)
	// Output: 1000 <nil>
}
