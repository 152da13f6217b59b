package streamtest_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
	"github.com/wsflow/wsflow/stream/streamtest"
)

func TestScramble(t *testing.T) {
	streamtest.Run(t,
		func() (client, server stream.Operator) { return Scramble(0x2A), Scramble(0x2A) },
	)
}

func TestTally(t *testing.T) {
	streamtest.Run(t,
		func() (client, server stream.Operator) { return Tally{}, nil },
	)
}

// A connection in memory with both operators: what the application sees is
// what was sent, and the counts can be read from the connection.
func Example() {
	operators := &stream.Options{Operators: []stream.Operator{Tally{}, Scramble(0x2A)}}
	near, far := net.Pipe()
	client, err := stream.New(near, stream.Client, operators)
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := stream.New(far, stream.Server, operators)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	go func() { // until the connection ends
		for m, err := range server.All(ctx) {
			if err != nil || server.Send(ctx, m) != nil {
				return
			}
		}
	}()
	client.SendText(ctx, "hello")
	for m, err := range client.All(ctx) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println("back came", m)
		client.Close(result.StatusNormalClosure, "")
	}
	<-server.Done()

	if counts, ok := CountsOf(client); ok {
		fmt.Println("sent", counts.Sent.Load(), "received", counts.Received.Load())
	}
	// Output:
	// back came hello
	// sent 1 received 1
}
