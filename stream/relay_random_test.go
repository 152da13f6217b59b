package stream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Sources come and leave at random, and so do takers of all kinds, one after another
// or two at a time, while messages run, pauses are held and Notices are put: none is
// lost, none comes twice, and those of one origin come in their order.
func TestRelayAtRandom(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 10
	}
	for seed := range uint64(seeds) {
		bubble(t, fmt.Sprint(seed), func(t *testing.T) {
			d := &relayDrive{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), last: map[string]int{}}
			d.relay, d.feeder = stream.NewRelay(nil)
			d.run()
		})
	}
}

// A relayDrive drives a Relay at random. Its methods but check run on goroutines of
// their own, with a random source each.
type relayDrive struct {
	t      *testing.T
	relay  *stream.Relay
	feeder *stream.Feeder

	mu   sync.Mutex
	rnd  *rand.Rand
	last map[string]int // the number that came last of each origin
	all  []string       // what came
}

const (
	driveSources  = 5
	driveMessages = 120
)

// fork returns a random source of a goroutine's own.
func (d *relayDrive) fork() *rand.Rand {
	d.mu.Lock()
	defer d.mu.Unlock()
	return rand.New(rand.NewPCG(d.rnd.Uint64(), 2))
}

func (d *relayDrive) run() {
	var feeding, taking sync.WaitGroup
	over := make(chan struct{})
	for i := range driveSources {
		feeding.Go(func() { d.source(i, d.fork()) })
	}
	feeding.Go(func() { d.puts(d.fork()) })
	taking.Go(func() { d.pauses(over, d.fork()) })
	taking.Go(func() { d.takes(d.fork()) })
	feeding.Wait()
	d.feeder.End(result.Status{Code: 1000})
	close(over)
	taking.Wait()
	for i := range driveSources {
		if got := d.last[fmt.Sprintf("s%d", i)]; got != driveMessages {
			d.t.Errorf("of source %d the last that came is number %d of %d", i, got, driveMessages)
		}
	}
	if got := d.last["put"]; got != driveMessages {
		d.t.Errorf("of what was put the last that came is number %d of %d", got, driveMessages)
	}
}

// source is a connection that joins and leaves until it has ended: this Relay, or one
// that joins it and leaves it as well.
func (d *relayDrive) source(i int, rnd *rand.Rand) {
	name := fmt.Sprintf("s%d", i)
	f := d.feeder
	if rnd.IntN(2) == 0 {
		var inner *stream.Relay
		inner, f = stream.NewRelay(nil)
		var rejoining sync.WaitGroup
		defer rejoining.Wait()
		rejoining.Go(func() { d.rejoins(d.feeder, inner, name, d.fork()) })
	}
	p := script.Client(d.t, nil)
	go func() {
		r := d.fork()
		for n := 1; n <= driveMessages; {
			var burst []script.Frame
			for range 1 + r.IntN(40) {
				if n <= driveMessages {
					burst = append(burst, script.Text(fmt.Sprintf("%s %d", name, n)))
					n++
				}
			}
			p.Sends(burst...)
			time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
		}
		p.Sends(script.Close(1000, ""))
	}()
	st := d.rejoins(f, p.Conn, name, rnd)
	if f != d.feeder {
		f.End(st)
	}
}

// rejoins joins a source and takes it out until it has ended.
func (d *relayDrive) rejoins(f *stream.Feeder, src stream.Source, name string, rnd *rand.Rand) result.Status {
	ended := make(chan result.Status, 1)
	for {
		leave := d.join(f, src, name, func(st result.Status) { ended <- st })
		select {
		case st := <-ended:
			if st.Err != nil {
				d.t.Errorf("%s ended with %v", name, st.Err)
			}
			return st
		case <-time.After(time.Duration(1+rnd.IntN(8)) * time.Millisecond):
			leave()
		}
	}
}

func (d *relayDrive) join(f *stream.Feeder, src stream.Source, name string, ended func(result.Status)) (leave func()) {
	leave, err := f.Join(src, &stream.JoinOptions{Origin: stream.Origin{Name: name, Epoch: 1}, Ended: ended})
	if err != nil {
		d.t.Errorf("%s: %v", name, err)
		return func() {}
	}
	return leave
}

func (d *relayDrive) puts(rnd *rand.Rand) {
	for n := 1; n <= driveMessages; n++ {
		err := d.feeder.Put(ctx, text(fmt.Sprintf("put %d", n)))
		if rnd.IntN(10) == 0 {
			err = d.feeder.Notify(ctx, nil, &stream.Gap{})
		}
		if err != nil {
			d.t.Error(err)
		}
		time.Sleep(time.Duration(rnd.IntN(2)) * time.Millisecond)
	}
}

func (d *relayDrive) pauses(over <-chan struct{}, rnd *rand.Rand) {
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(rnd.IntN(20)) * time.Millisecond):
			resume := d.relay.Pause()
			time.Sleep(time.Duration(rnd.IntN(3)) * time.Millisecond)
			resume()
		}
	}
}

// takes takes with one face after another, until the Relay has ended.
func (d *relayDrive) takes(rnd *rand.Rand) {
	for ended := false; !ended; {
		short, cancel := context.WithCancel(ctx)
		most, slow := 1+rnd.IntN(200), rnd.IntN(4) == 0
		face := randomFaces[rnd.IntN(len(randomFaces))]
		both, beside := false, func() {}
		switch rnd.IntN(4) {
		case 0:
			time.AfterFunc(time.Duration(rnd.IntN(5))*time.Millisecond, cancel)
		case 1:
			both = !face.exclusive
		}
		ended = face.take(short, d.relay, func(m stream.Message) bool {
			if d.check(m); both {
				both, beside = false, d.beside()
			}
			if most--; slow && most%16 == 0 {
				time.Sleep(time.Millisecond)
			}
			if most <= 0 {
				beside()
			}
			return most > 0
		})
		cancel()
		beside()
		if rnd.IntN(3) == 0 {
			time.Sleep(time.Duration(rnd.IntN(4)) * time.Millisecond)
		}
	}
}

// beside has another subscriber take as well. leave returns when it has left: what the
// last subscriber was not given is the next one's.
func (d *relayDrive) beside() (leave func()) {
	sub := d.relay.Chan(ctx, &stream.SubscribeOptions{Policy: stream.DropOldest, Size: 4})
	return func() {
		sub.Cancel()
		for range sub.C {
		}
	}
}

// check notes a message that came.
func (d *relayDrive) check(m stream.Message) {
	if m.Type == stream.Notice {
		return
	}
	name, number, _ := strings.Cut(m.String(), " ")
	n := 0
	fmt.Sscan(number, &n)
	if o := m.Origin(); name != "put" && (o == nil || o.Name != name) {
		d.t.Errorf("%q comes from %v", m, o)
	}
	if n != d.last[name]+1 {
		d.t.Errorf("%q comes behind number %d, after %q", m, d.last[name], d.all[max(0, len(d.all)-5):])
	}
	d.last[name] = n
	d.all = append(d.all, m.String())
}

// randomFaces take until the Relay or ctx ends, or got returns false, and report
// whether the Relay has ended. They hand on all that they were given.
var randomFaces = []struct {
	exclusive bool
	take      func(ctx context.Context, r *stream.Relay, got func(stream.Message) bool) (ended bool)
}{
	{true, func(ctx context.Context, r *stream.Relay, got func(stream.Message) bool) bool {
		for m, err := range r.All(ctx) {
			if err != nil || !got(m) {
				return false
			}
		}
		return true
	}},
	{false, func(ctx context.Context, r *stream.Relay, got func(stream.Message) bool) bool {
		sub := r.Chan(ctx, &stream.SubscribeOptions{Size: 3})
		for m := range sub.C {
			if !got(m) {
				sub.Cancel()
			}
			m.Release()
		}
		return sub.Err() == nil
	}},
	{false, func(ctx context.Context, r *stream.Relay, got func(stream.Message) bool) bool {
		sub := r.Batches(ctx, &stream.SubscribeOptions{Size: 1})
		for batch := range sub.C {
			for _, m := range batch {
				if !got(m) {
					sub.Cancel()
				}
			}
			for _, m := range slices.Clone(batch) {
				m.Release()
			}
		}
		return sub.Err() == nil
	}},
	{false, func(ctx context.Context, r *stream.Relay, got func(stream.Message) bool) bool {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var last error
		for item := range r.Observable(&stream.SubscribeOptions{Size: 40}).Observe(rxgo.WithContext(ctx)) {
			if last = item.E; item.E == nil && !got(item.V.(stream.Message)) {
				cancel()
			}
		}
		_, ended := r.Result().Status()
		return ended && last == nil && ctx.Err() == nil
	}},
}
