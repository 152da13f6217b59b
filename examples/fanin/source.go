package main

import (
	"context"
	"log"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// statusBatteryLow is a code of these sensors that is no failure.
const statusBatteryLow = 4000

// displayQueue is how many readings may wait for a display.
const displayQueue = 4

var options = &dial.Options{SuccessCodes: []result.StatusCode{statusBatteryLow}}

// A source is the connection to one sensor.
type source struct {
	name  string
	conn  *stream.Conn
	all   *stream.Subscription[stream.Message] // every reading
	slow  *stream.Subscription[stream.Message] // those that the display has time for
	shown int
}

// connect starts the sensors and connects to them. disconnect takes back what
// was done, also after an error.
func connect(ctx context.Context, sensors []sensor) (sources []*source, disconnect func(), err error) {
	var undo []func()
	disconnect = func() {
		for _, f := range undo {
			f()
		}
	}
	for _, sensor := range sensors {
		url, shut, err := sensor.open()
		if err != nil {
			return nil, disconnect, err
		}
		undo = append(undo, func() { shut() })
		conn, err := dial.Dial(ctx, url, options)
		if err != nil {
			return nil, disconnect, err
		}
		undo = append(undo, func() { conn.CloseNow(nil) })
		sources = append(sources, subscribe(ctx, sensor.name, conn))
	}
	return sources, disconnect, nil
}

// subscribe makes both subscriptions of a connection. As messages may have come
// already, of which the first subscriber would get some alone, it holds them
// back meanwhile.
func subscribe(ctx context.Context, name string, conn *stream.Conn) *source {
	resume := conn.Pause()
	defer resume()
	return &source{
		name: name,
		conn: conn,
		all:  conn.Chan(ctx, nil),
		slow: conn.Chan(ctx, &stream.SubscribeOptions{Size: displayQueue, Policy: stream.DropOldest}),
	}
}

// display shows a reading at a tick, until there are no more.
func (s *source) display(out *log.Logger, tick <-chan time.Time) {
	for {
		<-tick
		m, ok := <-s.slow.C
		if !ok {
			return
		}
		out.Printf("%-6s %s", s.name, m)
		s.shown++
	}
}

// report prints how the connection ended, and returns the error if that was
// not a success.
func (s *source) report(out *log.Logger) error {
	status, err := s.conn.Result().Wait(context.Background())
	out.Printf("%-6s [%d, %s], %d readings shown and %d dropped", s.name, status.Code, status.Reason, s.shown, s.slow.Dropped())
	return err
}
