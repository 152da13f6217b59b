package heartbeat_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// watched connects with a heartbeat that asks soon and gives up soon.
func watched(ctx context.Context, url string) error {
	beat := heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second, Timeout: time.Minute})
	conn, err := dial.Dial(ctx, url, &dial.Options{Operators: dial.DefaultOperators(beat)})
	if err != nil {
		return err
	}
	if state, ok := heartbeat.Of(conn); ok {
		state.OnRTT(func(r heartbeat.RTT) { fmt.Println("round trip:", r.Last) })
	}
	return conn.Shutdown(ctx, result.StatusNormalClosure, "")
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			c.Read(context.Background())
		}
	}))
	defer server.Close()
	fmt.Println(watched(context.Background(), server.URL))
	// Output: <nil>
}

// A client asks its server for a sign of life every five milliseconds, and
// reports how long the first one took.
func ExampleNew() {
	near, far := net.Pipe()
	beat := heartbeat.New(&heartbeat.Options{Interval: 5 * time.Millisecond, Timeout: time.Minute})
	client, err := stream.New(near, stream.Client, &stream.Options{Operators: []stream.Operator{beat}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range []*stream.Conn{client, server} {
		go func() { // until the connection ends
			for range c.All(context.Background()) {
			}
		}()
	}

	measured := make(chan heartbeat.RTT, 1)
	if s, ok := heartbeat.Of(client); ok {
		s.OnRTT(func(r heartbeat.RTT) {
			select {
			case measured <- r:
			default:
			}
		})
	}
	r := <-measured
	fmt.Println("answers:", r.Count, "positive:", r.Last > 0)

	for _, c := range []*stream.Conn{client, server} {
		c.CloseNow(errors.New("seen enough"))
		<-c.Done()
	}
	// Output: answers: 1 positive: true
}

// Options that cannot be used are found before any connection is made.
func ExampleOperator_Validate() {
	beat := heartbeat.New(&heartbeat.Options{Interval: time.Minute, Timeout: 30 * time.Second})
	fmt.Println(beat.Validate())
	// Output: heartbeat.Options.Timeout is 30s: allowed is 0, or more than Interval, which is 1m0s
}
