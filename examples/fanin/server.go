package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	burst = 100                   // readings that a sensor sends at a time
	pace  = 20 * time.Millisecond // the time between two bursts
)

// A sensor is a server that sends a number of readings to whoever connects, and
// then closes with a code and a reason.
type sensor struct {
	name     string
	readings int
	code     websocket.StatusCode
	reason   string
}

// open serves the sensor on a port of the local machine.
func (s sensor) open() (url string, shut func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: s}
	go server.Serve(l) // ends with shut
	return "ws://" + l.Addr().String(), server.Close, nil
}

func (s sensor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	ctx := c.CloseRead(context.Background()) // ends with the connection
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := range s.readings {
		if n%burst == 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		text := fmt.Appendf(nil, "%d: %.1f °C", n, 20+5*math.Sin(float64(n)/200))
		if c.Write(ctx, websocket.MessageText, text) != nil {
			return
		}
	}
	c.Close(s.code, s.reason)
}
