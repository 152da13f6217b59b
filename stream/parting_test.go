package stream_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// partingLoop lets a loop over a Relay take messages 1 to 10 of 100 from another one,
// has that taken out, calls then, and lets the loop go on. It returns what the loop was
// given.
func partingLoop(t *testing.T, then func(inner *stream.Relay, f *stream.Feeder)) (inner *stream.Relay, got int) {
	t.Helper()
	inner, f := stream.NewRelay(nil)
	for n := 1; n <= 100; n++ {
		if err := f.Put(ctx, text(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
	}
	outer, end := stream.NewRelay(nil)
	leave, err := end.Join(inner, nil)
	if err != nil {
		t.Fatal(err)
	}
	for m, err := range outer.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if got++; m.String() != strconv.Itoa(got) {
			t.Fatalf("%q came as number %d", m, got)
		}
		if got == 10 {
			leave()
			then(inner, f)
			end.End(result.Status{Code: 1000})
		}
	}
	return inner, got
}

// takes reads numbered messages from from to to, and then the end of the stream.
func takesNumbers(t *testing.T, sub *stream.Subscription[stream.Message], from, to int) {
	t.Helper()
	for n := from; n <= to; n++ {
		m, ok := <-sub.C
		if !ok {
			t.Fatalf("the subscription ended (%v) when number %d was due", sub.Err(), n)
		}
		if m.String() != strconv.Itoa(n) {
			t.Fatalf("%q came when number %d was due", m, n)
		}
	}
}

// Whoever begins to take while a loop that was told to stop has messages at hand gets
// those first.
func TestTakerThatComesWhileALoopParts(t *testing.T) {
	for _, ended := range []bool{false, true} {
		bubble(t, fmt.Sprint("ended=", ended), func(t *testing.T) {
			var sub *stream.Subscription[stream.Message]
			var feeder *stream.Feeder
			_, got := partingLoop(t, func(inner *stream.Relay, f *stream.Feeder) {
				sub = inner.Chan(ctx, &stream.SubscribeOptions{Size: 3})
				if feeder = f; ended {
					f.End(result.Status{Code: 1000})
				}
				synctest.Wait()
				if n := len(sub.C); n > 0 {
					t.Errorf("%d messages overtake those that the loop has", n)
				}
			})
			if ended {
				takesNumbers(t, sub, got+1, 100)
			} else {
				go feeder.Put(ctx, text("101"))
				takesNumbers(t, sub, got+1, 101)
				feeder.End(result.Status{Code: 1000})
			}
			if m, ok := <-sub.C; ok {
				t.Errorf("%q came behind the last message", m)
			}
			if err := sub.Err(); err != nil {
				t.Errorf("the subscription ended with %v", err)
			}
		})
	}
}

// What comes while the loop parts comes behind what it has.
func TestPutWhileALoopParts(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		var sub *stream.Subscription[stream.Message]
		put := make(chan error, 1)
		inner, got := partingLoop(t, func(inner *stream.Relay, f *stream.Feeder) {
			sub = inner.Chan(ctx, nil)
			go func() {
				put <- f.Put(ctx, text("101"))
				f.End(result.Status{Code: 1000})
			}()
			synctest.Wait()
		})
		takesNumbers(t, sub, got+1, 101)
		if err := <-put; err != nil {
			t.Error(err)
		}
		<-inner.Done()
		if _, ok := <-sub.C; ok || sub.Err() != nil {
			t.Errorf("the subscription did not end, or with %v", sub.Err())
		}
	})
}

// One that gives up before the loop has left leaves all to the next.
func TestTakerThatLeavesWhileALoopParts(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		inner, got := partingLoop(t, func(inner *stream.Relay, f *stream.Feeder) {
			sub := inner.Chan(ctx, nil)
			sub.Cancel()
			synctest.Wait()
			if m, ok := <-sub.C; ok {
				t.Errorf("%q was given", m)
			}
			f.End(result.Status{Code: 1000})
		})
		takesNumbers(t, inner.Chan(ctx, nil), got+1, 100)
	})
}
