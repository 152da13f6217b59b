// Oneloop runs three connections and a timer on one event loop: whatever
// happens, one goroutine deals with it, so that the program's own state needs
// no lock.
//
//	go run -race ./examples/oneloop
//
// It connects to three servers that send every message back. At each tick of
// the timer a token goes once around: to the first server and back, to the
// second and back, to the third and back. After some laps it closes all
// connections; when they have ended, it stops the loop and prints how. The exit
// status is 0 if all ended with a success.
//
// See ring.go for what runs on the loop.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/wsflow/wsflow/dial"
)

// pause is the time between two laps.
const pause = 100 * time.Millisecond

func main() {
	os.Exit(run([]http.HandlerFunc{echo, echo, echo}, pause, os.Stdout, os.Stderr))
}

// run is the program. It returns the exit status.
func run(servers []http.HandlerFunc, pause time.Duration, stdout, stderr io.Writer) int {
	alive, cut := context.WithCancel(context.Background())
	defer cut()
	running, stop := context.WithCancel(context.Background())
	defer stop()
	r := newRing(len(servers), pause, stdout, cut, stop)

	for i, server := range servers {
		url, shut, err := open(server)
		if err != nil {
			fmt.Fprintln(stderr, "oneloop:", err)
			return 1
		}
		defer shut()
		dial.Connect(alive, url, r.ready(i), &dial.Options{Post: r.loop.Post}).Then(r.closed(i), r.failed(i))
	}
	r.loop.Run(running) // until stop is called
	return r.report(stderr)
}
