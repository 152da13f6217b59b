package result_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
)

var (
	errTest = errors.New("the test's own error")

	good = result.Status{Code: 1000, Reason: "good", ByPeer: true, Sent: 1000, Received: 1000}
	bad  = result.Status{Code: 1006, Err: errTest}
)

// A journal notes what runs, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// both returns continuations that note which of them runs.
func (j *journal) both(name string) (func(result.Status), func(error)) {
	return func(s result.Status) { j.note(name + " resolved " + s.String()) },
		func(err error) { j.note(name + " rejected " + err.Error()) }
}

func (j *journal) holds(t *testing.T, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.lines, want) {
		t.Errorf("it ran %q, want %q", j.lines, want)
	}
}

func TestSettle(t *testing.T) {
	for _, test := range []struct {
		status result.Status
		want   string
	}{
		{good, `resolved 1000 "good"`},
		{bad, "rejected the test's own error"},
		{result.Status{Code: 4000}, `resolved 4000 ""`}, // an option named it a success
		{result.Status{Code: 1000, Err: errTest}, "rejected the test's own error"},
	} {
		p, settle := result.NewPromise(nil)
		var j journal
		p.Then(j.both("before"))
		j.holds(t)
		if !settle(test.status) {
			t.Error("the first settle settles nothing")
		}
		p.Then(j.both("after"))
		if settle(good) || settle(bad) {
			t.Error("a later settle settles")
		}
		j.holds(t, "before "+test.want, "after "+test.want)
		if s, ok := p.Status(); s != test.status || !ok {
			t.Errorf("the status is %v, %t", s, ok)
		}
	}
}

func TestStatusBeforeAndAfter(t *testing.T) {
	p, settle := result.NewPromise(nil)
	if s, ok := p.Status(); ok || s != (result.Status{}) {
		t.Errorf("before it is settled the status is %v, %t", s, ok)
	}
	select {
	case <-p.Done():
		t.Error("Done is closed before it is settled")
	default:
	}
	p.Then(func(result.Status) {
		select {
		case <-p.Done():
		default:
			t.Error("Done is open when the continuations run")
		}
		if s, ok := p.Status(); s != good || !ok {
			t.Errorf("when the continuations run the status is %v, %t", s, ok)
		}
	}, nil)
	settle(good)
	<-p.Done()
}

// Either continuation may be nil; it is run all the same, to the effect of
// nothing.
func TestNilContinuations(t *testing.T) {
	for _, s := range []result.Status{good, bad} {
		p, settle := result.NewPromise(nil)
		p.Then(nil, nil)
		p.Then(func(result.Status) {}, nil)
		p.Then(nil, func(error) {})
		ran := false
		p.Then(func(result.Status) { ran = true }, func(error) { ran = true })
		settle(s)
		if !ran {
			t.Errorf("after nil continuations none runs; the status is %v", s)
		}
	}
}

// Continuations run one at a time and in order, also those that continuations
// add: they come behind the ones that were there.
func TestContinuationsInsideContinuations(t *testing.T) {
	p, settle := result.NewPromise(nil)
	var j journal
	running := 0
	add := func(name string, then func()) {
		p.Then(func(result.Status) {
			if running++; running != 1 {
				t.Errorf("%s runs inside another one", name)
			}
			j.note(name)
			then()
			running--
		}, nil)
	}
	nothing := func() {}
	add("one", func() {
		add("one's first", func() { add("one's first's own", nothing) })
		add("one's second", nothing)
		if settle(bad) {
			t.Error("it was settled again from inside")
		}
	})
	add("two", nothing)
	settle(good)
	add("three", nothing)
	j.holds(t, "one", "two", "one's first", "one's second", "one's first's own", "three")
}

// All continuations go through post, one by one, and only through it.
func TestPost(t *testing.T) {
	var posted []func()
	p, settle := result.NewPromise(func(f func()) { posted = append(posted, f) })
	var j journal
	p.Then(j.both("one"))
	p.Then(j.both("two"))
	if len(posted) != 0 {
		t.Fatal("something was posted before it was settled")
	}
	settle(bad)
	p.Then(j.both("three"))
	j.holds(t)
	if len(posted) != 3 {
		t.Fatalf("%d functions were posted, want 3", len(posted))
	}
	for _, f := range posted {
		f()
	}
	const how = " rejected the test's own error"
	j.holds(t, "one"+how, "two"+how, "three"+how)
}

// Whoever adds continuations, each runs exactly once, none beside another, and
// those of one goroutine in its order.
func TestManyGoroutines(t *testing.T) {
	const goroutines, each = 8, 200
	p, settle := result.NewPromise(nil)
	var ran [goroutines][]int
	var busy, settled atomic.Int32
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			for i := range each {
				note := func() {
					if busy.Add(1) != 1 {
						t.Error("two continuations run at the same time")
					}
					ran[g] = append(ran[g], i)
					busy.Add(-1)
				}
				p.Then(func(result.Status) { note() }, func(error) { note() })
				if i == each/2 && settle(result.Status{Code: 1000, Reason: fmt.Sprint(g)}) {
					settled.Add(1)
				}
			}
		})
	}
	all.Wait()
	if settled.Load() != 1 {
		t.Errorf("settled %d times", settled.Load())
	}
	for g, got := range ran {
		if len(got) != each || !slices.IsSorted(got) || got[0] != 0 || got[each-1] != each-1 {
			t.Errorf("of goroutine %d ran %v", g, got)
		}
	}
}

// Then does not wait for the goroutine that runs continuations: it hands its
// own to that one.
func TestThenDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, settle := result.NewPromise(nil)
		var j journal
		hold := make(chan struct{})
		p.Then(func(result.Status) { <-hold; j.note("one") }, nil)
		go settle(good)
		synctest.Wait()
		p.Then(func(result.Status) { j.note("two") }, nil)
		j.holds(t)
		close(hold)
		synctest.Wait()
		j.holds(t, "one", "two")
	})
}

func TestWait(t *testing.T) {
	for _, want := range []result.Status{good, bad} {
		synctest.Test(t, func(t *testing.T) {
			p, settle := result.NewPromise(nil)
			var returned atomic.Int32
			for range 3 {
				go func() {
					if s, err := p.Wait(t.Context()); s != want || err != want.Err {
						t.Errorf("Wait returns %v, %v, want %v", s, err, want)
					}
					returned.Add(1)
				}()
				synctest.Wait()
			}
			if returned.Load() != 0 {
				t.Error("Wait returned before it was settled")
			}
			settle(want)
			synctest.Wait()
			if returned.Load() != 3 {
				t.Errorf("%d of 3 calls of Wait returned", returned.Load())
			}
		})
	}
}

func TestWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, settle := result.NewPromise(nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		got := make(chan error, 1)
		go func() {
			s, err := p.Wait(ctx)
			if s != (result.Status{}) {
				t.Errorf("Wait returns the status %v with a context that has ended", s)
			}
			got <- err
		}()
		synctest.Wait()
		cancel(errTest)
		if err := <-got; err != errTest {
			t.Errorf("Wait returns %v, want the context's cause", err)
		}
		// A promise that is settled answers whatever the context says.
		settle(good)
		for range 100 {
			if s, err := p.Wait(ctx); s != good || err != nil {
				t.Fatalf("after it was settled Wait returns %v, %v", s, err)
			}
		}
	})
}

// A continuation that panics, or ends its goroutine, takes only itself away.
func TestContinuationsThatDoNotReturn(t *testing.T) {
	for name, f := range map[string]func(result.Status){
		"panic":  func(result.Status) { panic("on purpose") },
		"Goexit": func(result.Status) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, settle := result.NewPromise(nil)
				var j journal
				p.Then(j.both("first"))
				p.Then(f, nil)
				p.Then(j.both("third"))
				go func() { // until the continuation does not return
					defer func() { recover() }()
					settle(good)
				}()
				synctest.Wait()
				p.Then(j.both("fourth"))
				synctest.Wait()
				want := []string{`first resolved 1000 "good"`, `third resolved 1000 "good"`, `fourth resolved 1000 "good"`}
				if !slices.Equal(j.lines, want) {
					t.Errorf("%q ran, want %q", j.lines, want)
				}
			})
		})
	}
}
