package heartbeat_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/stream"
)

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
