// Fanin takes the messages of several connections as one stream.
//
//	go run ./examples/fanin
//
// It starts three servers, sensors that send readings and then close, connects to
// each, and makes a group of the connections. The group has two takers, and each of
// these a queue of its own:
//
//   - One has the policy Block, which is the default: it gets every reading and counts
//     them.
//   - The other is a display, and slow. With the policy DropOldest it gets the newest
//     readings whenever it is ready, and holds up nobody. Those that it does not get
//     are counted.
//
// When all connections have ended, it prints how each of them did. The exit status is 0
// if all ended with a success, for which an option names 4000 too.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const (
	refresh          = 40 * time.Millisecond // the time between two readings on the display
	displayQueue     = 4                     // how many readings may wait for it
	statusBatteryLow = 4000                  // a code of these sensors that is no failure
)

func main() {
	os.Exit(run([]sensor{
		{"north", 2000, 1000, "end of shift"},
		{"east", 3000, 1000, ""},
		{"south", 1000, statusBatteryLow, "battery low"},
	}, os.Stdout, os.Stderr, time.Tick(refresh)))
}

// run is the program. The display shows a reading at a tick. It returns the exit
// status.
func run(sensors []sensor, stdout, stderr io.Writer, tick <-chan time.Time) int {
	ctx, out := context.Background(), log.New(stdout, "", 0) // two goroutines print
	group := fanin.New(nil)
	all := group.Batches(ctx, nil)
	newest := group.Chan(ctx, &stream.SubscribeOptions{Size: displayQueue, Policy: stream.DropOldest})

	var members []*fanin.Member
	for _, s := range sensors {
		url, shut, err := s.open()
		if err != nil {
			fmt.Fprintln(stderr, "fanin:", err)
			return 1
		}
		defer shut()
		conn, err := dial.Dial(ctx, url, &dial.Options{SuccessCodes: []result.StatusCode{statusBatteryLow}})
		if err != nil {
			fmt.Fprintln(stderr, "fanin:", err)
			return 1
		}
		defer conn.CloseNow(nil)
		member, err := group.Add(s.name, conn)
		if err != nil {
			fmt.Fprintln(stderr, "fanin:", err)
			return 1
		}
		members = append(members, member)
	}
	group.Close() // it ends with its last member

	var taking sync.WaitGroup
	taking.Go(func() { display(newest, out, tick) })
	out.Printf("%d readings", count(all))
	taking.Wait()
	for _, m := range members {
		status, _ := m.Result().Status()
		out.Printf("%-6s [%d, %s], %d readings", m.Name(), status.Code, status.Reason, m.Stats().Received)
	}
	if all.Err() != nil {
		return 1
	}
	return 0
}

// count counts readings, until there are no more.
func count(readings *stream.Subscription[[]stream.Message]) (n int) {
	for batch := range readings.C {
		for _, m := range batch {
			if m.Type != stream.Notice { // that a sensor has ended
				n++
			}
			m.Release() // what it says is of no interest here
		}
	}
	return n
}

// display shows a reading at a tick, until there are no more.
func display(readings *stream.Subscription[stream.Message], out *log.Logger, tick <-chan time.Time) {
	shown := 0
	for {
		<-tick
		m, ok := <-readings.C
		switch {
		case !ok:
			out.Printf("%d shown and %d dropped", shown, readings.Dropped())
			return
		case m.Type == stream.Notice:
			out.Printf("%-6s has ended", m.Origin().Name)
		default:
			out.Printf("%-6s %s, behind %d others", m.Origin().Name, m, m.Skipped())
			shown++
		}
	}
}
