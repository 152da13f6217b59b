// Command bench compares wsflow with other WebSocket libraries for Go, over
// loopback, against a server that belongs to none of them.
//
// Each measurement is a process of its own. The libraries take turns, round
// after round, and the medians count. The server is one more process: it
// writes prepared bytes in large pieces, takes what it is sent, or echoes.
//
//	go run .                     # everything, about 1 1/2 hours
//	go run . -run receive/64B    # what matches
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	played, err := playPart()
	if !played {
		err = compare(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// compare is the program that the user starts.
func compare(args []string) error {
	p, out, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r, err := p.run(ctx)
	if err != nil {
		return err
	}
	r.print(os.Stdout)
	return r.write(out, 120)
}

// parse reads the command line.
func parse(args []string) (p plan, out string, err error) {
	p.progress = os.Stderr
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("run", "", "measure only the workloads whose names match this `expression`")
	among := flags.String("among", "", "measure only the libraries whose names match this `expression`")
	flags.StringVar(&out, "out", "out", "the `folder` that results.json and the charts are written to")
	flags.IntVar(&p.Rounds, "rounds", 5, "how often each library is measured; the median counts")
	flags.DurationVar(&p.Window, "time", time.Second, "how long each measurement lasts, after a fifth more to warm up")
	flags.IntVar(&p.Connections, "connections", 2000, "how many idle connections are opened, up to about 20000")
	flags.StringVar(&p.Against, "against", "", "the `folder` of another checkout whose wsflow is measured as well")
	flags.IntVar(&p.Fleet, "fleet", 10000, "how many connections a fleet has at the most")
	flags.DurationVar(&p.Every, "every", time.Second, "how long each connection of a paced fleet waits between two messages")
	if err := flags.Parse(args); err != nil {
		return p, out, err
	}
	if p.Rounds < 1 || p.Window <= 0 || p.Connections < 1 || p.Fleet < 1 || p.Every <= 0 {
		return p, out, fmt.Errorf("bench: -rounds %d, -time %v, -connections %d, -fleet %d and -every %v must all be positive",
			p.Rounds, p.Window, p.Connections, p.Fleet, p.Every)
	}
	match, errMatch := regexp.Compile(*only)
	libraries, errAmong := regexp.Compile(*among)
	p.match, p.among = match, libraries
	return p, out, errors.Join(errMatch, errAmong)
}
