package mux

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/result"
)

// No span holds more than it may, and nobody waits longer than that takes.
func TestWindowRolls(t *testing.T) {
	for _, most := range []int{1, 2, 5} {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(most), 0))
			w := NewWindow(most, time.Second)
			var passed []time.Time
			for range 500 {
				if random.IntN(3) == 0 {
					time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond)
				}
				asked := time.Now()
				if err := w.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := asked
				if n := len(passed) - most; n >= 0 && passed[n].Add(time.Second).After(asked) {
					want = passed[n].Add(time.Second)
				}
				if passed = append(passed, time.Now()); !time.Now().Equal(want) {
					t.Fatalf("most %d: number %d passed at %v, want %v", most, len(passed), time.Now(), want)
				}
			}
		})
	}
}

// Many may wait, and none of them is passed over.
func TestWindowIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWindow(3, time.Second)
		var all sync.WaitGroup
		var passed [10]time.Duration
		began := time.Now()
		for i := range passed {
			all.Go(func() {
				if err := w.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				passed[i] = time.Since(began)
			})
			synctest.Wait()
		}
		all.Wait()
		for i, at := range passed {
			if want := time.Duration(i/3) * time.Second; at != want {
				t.Errorf("number %d passed after %v, want %v", i, at, want)
			}
		}
	})
}

// Who gives up waiting has not passed.
func TestWindowWaitIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWindow(1, time.Second)
		if err := w.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		mine := errors.New("enough")
		for range 2 { // one waits for the span, one for the first
			go func() {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, mine)
				defer cancel()
				if err := w.Wait(ctx); err != mine {
					t.Errorf("the wait ended with %v", err)
				}
			}()
		}
		time.Sleep(600 * time.Millisecond)
		if err := w.Wait(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Errorf("the next passed after %v, %v", time.Since(began), err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(mine)
		for range 20 {
			if err := NewWindow(1, time.Second).Wait(ctx); err != mine {
				t.Errorf("with a context that has ended it returns %v", err)
			}
		}
	})
}

func TestWindowArguments(t *testing.T) {
	for _, w := range []*Window{NewWindow(0, time.Second), NewWindow(-1, time.Second), NewWindow(1, 0), NewWindow(1, -1)} {
		var argument *result.ArgumentError
		if err := w.Wait(t.Context()); !errors.As(err, &argument) {
			t.Errorf("a window of %d in %v waits with %v", w.most, w.span, err)
		}
	}
	var without context.Context
	var argument *result.ArgumentError
	if err := NewWindow(1, 1).Wait(without); !errors.As(err, &argument) {
		t.Errorf("with a nil context it returns %v", err)
	}
}
