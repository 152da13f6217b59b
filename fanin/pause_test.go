package fanin_test

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/fanin"
	"github.com/wsflow/wsflow/stream"
)

// A member that is paused holds up no other, wherever it is caught: most of the time it
// waits for its turn. What it has comes when it is resumed.
func TestPausedMember(t *testing.T) {
	for range 20 {
		bubble(t, func(t *testing.T) {
			const n = 300
			g := fanin.New(nil)
			sub := g.Chan(ctx, &stream.SubscribeOptions{Size: 1})
			paused, other := newFeed(t), newFeed(t)
			for name, f := range map[string]*feed{"paused": paused, "other": other} {
				add(t, g, name, f.near)
				go func() { // ends with the feed
					f.count(n)
					f.closes(1000)
				}()
			}
			g.Close()
			synctest.Wait() // everybody waits for the consumer
			resume := paused.near.Pause()
			came := map[string]int{}
			take := func(m stream.Message) {
				name := m.Origin().Name
				if m.Type == stream.Notice {
					return
				}
				if want := strconv.Itoa(came[name]); m.String() != want {
					t.Fatalf("%s gave %s, want %s", name, m, want)
				}
				came[name]++
			}
			for came["other"] < n {
				synctest.Wait()
				select {
				case m := <-sub.C:
					take(m)
				default:
					t.Fatalf("the paused member holds up the other one at %v", came)
				}
			}
			if before := came["paused"]; before > 128 {
				t.Errorf("%d messages came of a member that is paused", before)
			}
			resume()
			for m := range sub.C {
				take(m)
			}
			if came["paused"] != n {
				t.Errorf("%d of %d messages came of the paused member", came["paused"], n)
			}
		})
	}
}
