// Command soak uses connections in every way at once, for a while, and checks what
// must hold whatever happens: messages come in order, none is doubled, none is lost
// but in a gap that was told of, and in the end nothing is left behind.
//
//	go run ./soak                     # one minute
//	go run ./soak -time 8h -workers 64
//	go run ./soak -seed 17            # the same choices again, as far as the scheduler lets them be
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if err := soak(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// scenarios are what a worker does, one after another.
var scenarios = []struct {
	name string
	run  func(w *world, random *rand.Rand) error
}{
	{"connection", oneConnection},
	{"sender", oneSender},
	{"source", oneSource},
	{"group", oneGroup},
	{"mux", oneMux},
}

// A world is what all workers share.
type world struct {
	server   *server
	messages atomic.Int64
	failed   chan error // holds the first failure
}

// fail notes a failure. One is enough.
func (w *world) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

// soak is the program.
func soak(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	lasts := flags.Duration("time", time.Minute, "how long new work is begun")
	workers := flags.Int("workers", 16, "how many work at the same time")
	seed := flags.Uint64("seed", rand.Uint64(), "what the choices are drawn from")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *lasts <= 0 || *workers <= 0 {
		return fmt.Errorf("soak: -time %v and -workers %d must be positive", *lasts, *workers)
	}
	fmt.Fprintf(out, "seed %d\n", *seed)
	hangs := time.AfterFunc(*lasts+hangsAfter, func() {
		fmt.Fprintf(os.Stderr, "soak: it hangs\n%s\n", stacks())
		os.Exit(1)
	})
	defer hangs.Stop()
	w := &world{failed: make(chan error, 1)}
	before, err := w.round(*seed, *workers, 0) // what is made once for all
	if err != nil {
		return err
	}
	w.messages.Store(0)
	if _, err := w.round(*seed, *workers, *lasts); err != nil {
		return err
	}
	after, err := settle(before)
	fmt.Fprintf(out, "%d messages; before: %v; after: %v\n", w.messages.Load(), before, after)
	return err
}

// round has the workers work for a time, each on one scenario at least, and returns
// what is in use once all has ended.
func (w *world) round(seed uint64, workers int, lasts time.Duration) (usage, error) {
	s, err := serve(seed, w.fail)
	if err != nil {
		return usage{}, err
	}
	w.server = s
	late := time.Now().Add(lasts)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for n := i; n == i || time.Now().Before(late) && len(w.failed) == 0; n++ {
				one := scenarios[n%len(scenarios)]
				if err := one.run(w, random); err != nil {
					w.fail(fmt.Errorf("soak: worker %d: %s: %w", i, one.name, err))
				}
			}
		})
	}
	all.Wait()
	s.close()
	select {
	case err := <-w.failed:
		return usage{}, err
	default:
		return inUse(), nil
	}
}

// A usage is what could be left behind.
type usage struct {
	goroutines int
	heap       int64
}

func (u usage) String() string { return fmt.Sprintf("%d goroutines, %d KB", u.goroutines, u.heap/1024) }

func inUse() usage {
	runtime.GC()
	runtime.GC() // what pools had
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{runtime.NumGoroutine(), int64(m.HeapAlloc)}
}

// hangsAfter is how long what was begun may take, beyond the time for beginning more.
const hangsAfter = 2 * time.Minute

// noise is by how much the heap may differ.
const noise = 2 << 20

// settle waits until no more is in use than before. What ends by itself, such as a
// timer, has a while for that.
func settle(before usage) (now usage, err error) {
	for late := time.Now().Add(15 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		now = inUse()
		if now.goroutines <= before.goroutines && now.heap <= before.heap+noise {
			return now, nil
		}
		if time.Now().After(late) {
			return now, errors.New("soak: something is left behind\n" + stacks())
		}
	}
}

func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
