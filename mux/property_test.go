package mux_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A bazaar is a mux whose takers come and go at random, and whose connection does.
type bazaar struct {
	t       *testing.T
	random  *rand.Rand
	s       *server
	open    func() // the next connection, unless the link does that itself
	m       *mux.Mux[string]
	numbers map[string]int // what was published last of each topic
	takers  map[string][]*stream.Subscription[stream.Message]
	taking  sync.WaitGroup
}

const stalls = 8 // how many topics a bazaar has

func (b *bazaar) step() {
	key := string(rune('a' + b.random.IntN(stalls)))
	switch b.random.IntN(8) {
	case 0, 1:
		sub := b.m.Topic(key).Chan(ctx, nil)
		b.takers[key] = append(b.takers[key], sub)
		b.taking.Go(func() { b.watch(key, sub) })
	case 2, 3:
		if subs := b.takers[key]; len(subs) > 0 {
			i := b.random.IntN(len(subs))
			subs[i].Cancel()
			b.takers[key] = slices.Delete(subs, i, i+1)
		}
	case 4:
		time.Sleep(time.Duration(b.random.IntN(3000)) * time.Millisecond)
	case 5, 6:
		for range b.random.IntN(10) {
			b.publish()
		}
	case 7:
		if b.random.IntN(3) == 0 {
			b.reconnect()
		}
	}
}

// publish sends the next number of a topic that the server knows.
func (b *bazaar) publish() {
	known := b.s.topics()
	select {
	case <-b.s.last().Done(): // the next one is made when somebody takes
		return
	default:
	}
	if known == "" {
		return
	}
	keys := strings.Split(known, ",")
	key := keys[b.random.IntN(len(keys))]
	b.numbers[key]++
	b.s.sends(fmt.Sprintf("%s:%d", key, b.numbers[key]))
}

// reconnect cuts the connection, or closes it, and opens the next one later.
func (b *bazaar) reconnect() {
	if b.random.IntN(2) == 0 {
		b.s.last().CloseNow(nil)
	} else {
		b.s.closes()
	}
	synctest.Wait()
	time.Sleep(time.Duration(b.random.IntN(2)) * time.Second)
	b.open()
}

// watch checks that a taker misses nothing but what a gap may have taken.
func (b *bazaar) watch(key string, sub *stream.Subscription[stream.Message]) {
	next := 0 // 0: any
	for m := range sub.C {
		var topic string
		var n int
		if m.Type == stream.Notice {
			next = 0
			continue
		}
		fmt.Sscanf(strings.Replace(m.String(), ":", " ", 1), "%s %d", &topic, &n)
		if topic != key || next != 0 && n != next {
			b.t.Errorf("a taker of %s got %s, want number %d", key, m, next)
		}
		next = n + 1
	}
}

// rests checks that the server knows what has takers, once nothing more happens.
func (b *bazaar) rests() {
	b.t.Helper()
	var desired []string
	for key, subs := range b.takers {
		if len(subs) > 0 {
			desired = append(desired, key)
		}
	}
	slices.Sort(desired)
	time.Sleep(time.Minute)
	b.s.wants(strings.Join(desired, ","))
}

// Whatever takers and connections do, the server ends up with what is desired, is told
// of nothing that it does not know, and takers miss nothing.
func TestMuxAgainstAServer(t *testing.T) {
	for seed := range uint64(16) {
		bubble(t, func(t *testing.T) {
			s := &server{t: t}
			l := newRelink(s)
			l.open()
			end := func() { l.feeder.End(result.Status{Code: 1000}) }
			work(t, seed, s, l, l.open, end)
		})
	}
}

// The same over a source that dials again by itself.
func TestMuxOverRedial(t *testing.T) {
	for seed := range uint64(16) {
		bubble(t, func(t *testing.T) {
			s := &server{t: t}
			dial := func(context.Context) (*stream.Conn, error) { return s.accept(), nil }
			src := redial.New(ctx, dial, &redial.Options{
				Retry: func(int, error) (time.Duration, bool) { return time.Second, true },
			})
			synctest.Wait()
			work(t, seed, s, src, func() { time.Sleep(time.Second) }, func() { src.CloseNow(nil) })
		})
	}
}

// work has takers come and go, and connections too, and checks what must hold.
func work(t *testing.T, seed uint64, s *server, l mux.Link, open, end func()) {
	o := options(1 + int(seed%4))
	o.Linger = time.Duration(seed%3) * time.Second
	if seed%2 == 0 {
		s.most = 5
		o.Limiter = mux.NewWindow(5, time.Second)
	}
	b := &bazaar{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), s: s, open: open, m: mux.New(l, o),
		numbers: map[string]int{}, takers: map[string][]*stream.Subscription[stream.Message]{},
	}
	for range 4 {
		for range 40 {
			b.step()
		}
		b.rests()
	}
	s.last().CloseNow(nil)
	synctest.Wait()
	end()
	b.taking.Wait()
	if t.Failed() {
		t.Fatalf("seed %d", seed)
	}
}
