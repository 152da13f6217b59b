package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/stream"
)

// resuming returns a source that takes a feed of so many messages to its end, however
// often its connection is cut.
func resuming(w *world, to uint64) *redial.Source {
	var cursor atomic.Uint64 // of the next message
	open := func(ctx context.Context) (*stream.Conn, error) {
		return dial.Dial(ctx, w.server.url(fmt.Sprintf("/feed?from=%d&to=%d&cuts=1", cursor.Load(), to)), nil)
	}
	return redial.New(context.Background(), open, &redial.Options{
		Seen:  func(stream.Message) { cursor.Add(1) },
		Retry: func(_ int, err error) (time.Duration, bool) { return time.Millisecond, err != nil },
	})
}

// oneSource takes a feed whose connection is cut again and again, in every way.
func oneSource(w *world, random *rand.Rand) error {
	to := uint64(random.IntN(10_000))
	src := resuming(w, to)
	defer src.CloseNow(nil)
	q := &sequence{name: "a source"}
	h := &hand{src: src, random: random, check: func(m stream.Message, _ uint64) error { return w.took(q, m) }}
	if err := h.drain(); err != nil {
		return err
	}
	return q.ends(to)
}

// oneGroup takes such feeds together, while they leave the group and come back.
func oneGroup(w *world, random *rand.Rand) error {
	const members = 4
	to := uint64(random.IntN(5000))
	g := fanin.New(nil)
	var queues [members]*sequence
	var sources [members]*redial.Source
	for i := range members {
		sources[i] = resuming(w, to)
		defer sources[i].CloseNow(nil)
		queues[i] = &sequence{name: fmt.Sprint("member ", i)}
		if _, err := g.Add(strconv.Itoa(i), sources[i]); err != nil {
			return err
		}
	}
	var churn sync.WaitGroup
	defer churn.Wait()
	seed := random.Uint64()
	churn.Go(func() { // until it has left and come back a number of times
		if err := churns(g, sources[0], rand.New(rand.NewPCG(seed, 0))); err != nil {
			w.fail(err)
		}
		g.Close()
	})
	h := &hand{src: g, random: random, check: func(m stream.Message, _ uint64) error {
		i, _ := strconv.Atoi(m.Origin().Name)
		return w.took(queues[i], m)
	}}
	if err := h.drain(); err != nil {
		return err
	}
	for _, q := range queues {
		if err := q.ends(to); err != nil {
			return err
		}
	}
	return nil
}

// churns takes a member out of its group and in again, a number of times.
func churns(g *fanin.Group, src stream.Source, random *rand.Rand) error {
	for range random.IntN(50) {
		time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
		for _, m := range g.Members() {
			if m.Name() != "0" {
				continue
			}
			if m.Remove(); random.IntN(2) == 0 {
				time.Sleep(time.Millisecond)
			}
			if _, err := g.Add("0", src); err != nil {
				return fmt.Errorf("a group: %w", err)
			}
		}
	}
	return nil
}
