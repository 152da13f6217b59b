package fanin_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Distinct that panics, or ends the goroutine, ends the group with that and crashes
// nothing: its members are left, and what they bring later is somebody else's.
func TestDistinctPanics(t *testing.T) {
	mine := errors.New("mine")
	for name, do := range map[string]func(){"panic": func() { panic(mine) }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				calls := 0
				g := fanin.New(&fanin.Options{Distinct: func(stream.Message) (uint64, bool) { calls++; do(); return 0, false }})
				sub := g.Chan(ctx, nil)
				one, two := newFeed(t), newFeed(t)
				add(t, g, "one", one.near)
				add(t, g, "two", two.near)
				one.sends("1", "2")
				all, err := said(sub)
				if _, general := err.(*result.General); name == "panic" && err != mine || name == "Goexit" && !general || len(all) > 0 {
					t.Errorf("it gave %q and ended with %v", all, err)
				}
				synctest.Wait()
				if calls != 1 {
					t.Errorf("Distinct was called %d times", calls)
				}
				if _, err := g.Add("three", newFeed(t).near); err == nil {
					t.Error("it takes members")
				}
				next := two.near.Chan(ctx, nil)
				two.sends("3")
				if m := <-next.C; m.String() != "3" {
					t.Errorf("%q came", m)
				}
			})
		})
	}
}
