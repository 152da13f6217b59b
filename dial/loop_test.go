package dial

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
)

func TestLoopRunsInOrder(t *testing.T) {
	var l Loop
	ctx, stop := context.WithCancel(t.Context())
	var got []int // without a lock: the race detector watches
	var posting sync.WaitGroup
	for i := range 10 {
		posting.Go(func() {
			for j := range 100 {
				l.Post(func() { got = append(got, i*100+j) })
			}
		})
	}
	posting.Wait()
	l.Post(func() { l.Post(stop) })
	want(t, "what is left", l.Run(ctx), 0)
	want(t, "what ran", len(got), 1000)
	last := map[int]int{}
	for _, n := range got {
		if n%100 != last[n/100] {
			t.Fatalf("%d ran when %d was due", n, n/100*100+last[n/100])
		}
		last[n/100]++
	}
}

func TestLoopWaitsForWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Loop
		ctx, stop := context.WithCancel(t.Context())
		left := make(chan int)
		go func() { left <- l.Run(ctx) }()
		for range 3 {
			ran := make(chan struct{})
			synctest.Wait()
			l.Post(func() { close(ran) })
			<-ran
		}
		stop()
		want(t, "what is left", <-left, 0)
	})
}

func TestLoopStops(t *testing.T) {
	var l Loop
	ctx, stop := context.WithCancel(t.Context())
	ran := 0
	l.Post(func() { ran++; stop() })
	l.Post(func() { ran++ })
	l.Post(func() { ran++ })
	want(t, "what is left", l.Run(ctx), 2)
	want(t, "what ran", ran, 1)
	want(t, "what is left for an ended context", l.Run(ctx), 2)

	ctx, stop = context.WithCancel(t.Context())
	l.Post(stop)
	want(t, "what is left after a second run", l.Run(ctx), 0)
	want(t, "what ran", ran, 3)
}

func TestLoopRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l Loop
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		inside := 0
		for range 2 {
			running.Go(func() { l.Run(ctx) })
		}
		blocked := make(chan struct{})
		for range 2 {
			l.Post(func() {
				inside++
				<-blocked
				inside--
			})
		}
		synctest.Wait()
		want(t, "functions at a time", inside, 1)
		close(blocked)
		synctest.Wait()
		stop()
		running.Wait()
	})
}

func TestLoopSurvivesAPanic(t *testing.T) {
	var l Loop
	ctx, stop := context.WithCancel(t.Context())
	l.Post(func() { panic("on purpose") })
	l.Post(stop)
	func() {
		defer func() { want(t, "the panic", recover(), "on purpose") }()
		l.Run(ctx)
	}()
	want(t, "what is left", l.Run(ctx), 0)
}
