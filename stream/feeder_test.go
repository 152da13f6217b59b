package stream_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Without a taker, what is put waits up to a bound, and then whoever puts it does.
func TestPutWithoutATaker(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		data := make([]byte, 100<<10)
		put := 0
		for ; put < 100; put++ {
			short, cancel := context.WithTimeout(ctx, time.Second)
			err := f.Put(short, bin(data))
			cancel()
			if err == context.DeadlineExceeded {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if put < 8 || put > 12 {
			t.Fatalf("%d messages of 100 KiB wait", put)
		}
		done := make(chan error)
		go func() { done <- f.Put(ctx, text("last")) }()
		synctest.Wait()
		n := 0
		for m := range r.Chan(ctx, nil).C {
			n++
			if m.Type == stream.Text {
				f.End(result.Status{Code: 1000})
			}
		}
		if err := <-done; err != nil || n != put+1 {
			t.Errorf("%d of %d messages come, %v", n, put+1, err)
		}
	})
}

// A Put that waits for a full subscriber ends with its context.
func TestPutEndsWithItsContext(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		sub := r.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		batches := r.Batches(ctx, &stream.SubscribeOptions{Size: 1})
		f.Put(ctx, text("one"))
		short, cancel := context.WithCancelCause(ctx)
		cause := errors.New("the cause")
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := f.Put(short, text("two")); err != cause {
			t.Errorf("Put returns %v", err)
		}
		if err := f.Put(short, text("three")); err != cause {
			t.Errorf("Put with an ended context returns %v", err)
		}
		<-batches.C
		<-sub.C
		f.Put(ctx, text("four"))
		if m := <-sub.C; m.String() != "four" {
			t.Errorf("%q comes", m)
		}
		f.End(result.Status{Code: 1000})
	})
}

// Room for what waits without a taker is there again when that was taken.
func TestPutWithoutATakerAgain(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		for range 3 {
			n := 0
			for ; n < 4; n++ {
				if err := f.Put(ctx, stream.Message{Type: stream.Binary, Data: make([]byte, 1<<18)}); err != nil {
					t.Fatal(err)
				}
			}
			sub := r.Chan(ctx, nil)
			for range n {
				(<-sub.C).Release()
			}
			sub.Cancel()
			synctest.Wait()
		}
		f.End(result.Status{Code: 1000})
	})
}

// A pause that is held at the end of a Relay keeps its streams from ending, and not the
// terminal event from coming.
func TestPauseAtTheEndOfARelay(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		sub := r.Chan(ctx, nil)
		resume := r.Pause()
		f.End(result.Status{Code: 1000})
		<-r.Done()
		synctest.Wait()
		select {
		case m, ok := <-sub.C:
			t.Errorf("%q, %t came during the pause", m, ok)
		default:
		}
		resume()
		if m, ok := <-sub.C; ok {
			t.Errorf("%q came", m)
		}
	})
}

// A pause in the body of a loop holds back what came to the loop together with its message.
func TestPauseInALoopOfManySources(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		a, b := script.Client(t, nil), script.Client(t, nil)
		join(t, f, a.Conn, nil)
		join(t, f, b.Conn, nil)
		a.Sends(script.Text("one"), script.Text("two"))
		synctest.Wait()
		start := time.Now()
		for m := range r.All(ctx) {
			if m.String() == "two" {
				break
			}
			time.AfterFunc(time.Minute, r.Pause())
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("what follows came after %v, want it after the pause of a minute", took)
		}
		f.End(result.Status{Code: 1000})
	})
}
