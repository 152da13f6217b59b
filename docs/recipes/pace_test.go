package recipes_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// sendPaced sends orders until there are no more, with at least an interval
// between two. Flush keeps a slow network from gathering them.
func sendPaced(ctx context.Context, conn *stream.Conn, interval time.Duration, orders <-chan string) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for order := range orders {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := conn.SendText(ctx, order); err != nil {
			return err
		}
		if err := conn.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func Example_pacedSends() {
	server := talk(echo)
	defer server.Close()
	ctx := context.Background()
	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}

	orders := make(chan string, 3)
	orders <- "buy"
	orders <- "sell"
	orders <- "buy back"
	close(orders)
	fmt.Println(sendPaced(ctx, conn, time.Millisecond, orders))
	conn.Close(result.StatusNormalClosure, "")
	for message, err := range conn.All(ctx) {
		fmt.Println(message, err)
	}
	// Output:
	// <nil>
	// buy <nil>
	// sell <nil>
	// buy back <nil>
}

// A hundred orders take a hundred intervals.
func TestSendsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		client, err := stream.New(near, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		server, err := stream.New(far, stream.Server, nil)
		if err != nil {
			t.Fatal(err)
		}
		orders := make(chan string, 100)
		for range cap(orders) {
			orders <- "buy"
		}
		close(orders)
		start := time.Now()
		if err := sendPaced(t.Context(), client, time.Second, orders); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 100*time.Second {
			t.Errorf("a hundred orders took %v", took)
		}
		client.CloseNow(nil)
		server.CloseNow(nil)
	})
}
