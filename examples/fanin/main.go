// Fanin joins the messages of several connections into one channel.
//
//	go run ./examples/fanin
//
// It starts three servers, sensors that send readings and then close, and
// connects to each. Each connection has two subscribers, and each of these a
// queue of its own:
//
//   - One has the policy Block, which is the default: it gets every reading,
//     and passes it on to the channel that all connections share.
//   - The other is a display, and slow. With the policy DropOldest it gets the
//     newest readings whenever it is ready, and holds up nobody. Those that it
//     does not get are counted.
//
// When all connections have ended, it prints how each of them did. The exit
// status is 0 if all ended with a success, for which an option names 4000 too.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// refresh is the time between two readings on a display.
const refresh = 40 * time.Millisecond

func main() {
	os.Exit(run([]sensor{
		{"north", 2000, 1000, "end of shift"},
		{"east", 3000, 1000, ""},
		{"south", 1000, statusBatteryLow, "battery low"},
	}, os.Stdout, os.Stderr, time.Tick(refresh)))
}

// run is the program. Each display shows a reading at a tick. It returns the
// exit status.
func run(sensors []sensor, stdout, stderr io.Writer, tick <-chan time.Time) int {
	out := log.New(stdout, "", 0) // several goroutines print
	sources, disconnect, err := connect(context.Background(), sensors)
	defer disconnect()
	if err != nil {
		fmt.Fprintln(stderr, "fanin:", err)
		return 1
	}

	var displays sync.WaitGroup
	for _, s := range sources {
		displays.Go(func() { s.display(out, tick) }) // ends with the connection
	}
	count(join(sources), out)
	displays.Wait()

	status := 0
	for _, s := range sources {
		if err := s.report(out); err != nil {
			status = 1
		}
	}
	return status
}

// A reading is a message and the name of the sensor that it came from.
type reading struct {
	from string
	stream.Message
}

// join returns one channel of the readings of all sources. It is closed when
// all have ended.
func join(sources []*source) <-chan reading {
	joined := make(chan reading)
	var running sync.WaitGroup
	for _, s := range sources {
		running.Go(func() { // ends with the connection
			for m := range s.all.C {
				joined <- reading{s.name, m}
			}
		})
	}
	go func() { // ends with the last connection
		running.Wait()
		close(joined)
	}()
	return joined
}

// count counts the readings by where they came from, until there are no more.
func count(readings <-chan reading, out *log.Logger) {
	sum, by := 0, map[string]int{}
	for r := range readings {
		sum++
		by[r.from]++
		r.Release() // what it says is of no interest here
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, fmt.Sprintf("%d of %s", by[name], name))
	}
	out.Printf("%d readings: %s", sum, strings.Join(parts, ", "))
}
