package stream_test

import (
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Live relay keeps nothing for the next taker: neither what came while there was
// none, nor what the last one was not given.
func TestLiveRelayKeepsNothing(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, feeder := stream.NewRelay(&stream.RelayOptions{Live: true})
		put := func(s string) {
			if err := feeder.Put(ctx, text(s)); err != nil {
				t.Errorf("Put: %v", err)
			}
		}
		put("for nobody")
		sub := r.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		put("given")
		go put("not given") // waits for room
		synctest.Wait()
		sub.Cancel()
		synctest.Wait()
		put("for nobody")

		next := r.Chan(ctx, nil)
		put("for the next")
		feeder.End(result.Status{Code: result.StatusNormalClosure})
		for _, want := range []struct {
			sub *stream.Subscription[stream.Message]
			s   string
		}{{sub, "given"}, {next, "for the next"}} {
			if m := <-want.sub.C; m.String() != want.s {
				t.Errorf("it got %q, want %q", m, want.s)
			}
			if m, more := <-want.sub.C; more {
				t.Errorf("behind %q it got %q", want.s, m)
			}
		}
	})
}

// Notice sees the Notices of a Relay that is joined, and Keep the data, in order and
// in either way of handing them on.
func TestJoinSeesNotices(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		for name, take := range map[string]func(r *stream.Relay){
			"All": func(r *stream.Relay) {
				for range r.All(ctx) {
				}
			},
			"Chan": func(r *stream.Relay) {
				for range r.Chan(ctx, nil).C {
				}
			},
		} {
			inner, feeder := stream.NewRelay(nil)
			outer, joiner := stream.NewRelay(nil)
			var seen []string
			_, err := joiner.Join(inner, &stream.JoinOptions{
				Keep:   func(m stream.Message) bool { seen = append(seen, m.String()); return true },
				Notice: func(m stream.Message) { seen = append(seen, m.Type.String()) },
				Ended:  joiner.End,
			})
			if err != nil {
				t.Fatal(err)
			}
			feeder.Put(ctx, text("a"))
			feeder.Notify(ctx, nil, &stream.Gap{From: 1})
			feeder.Put(ctx, text("b"))
			feeder.End(result.Status{Code: result.StatusNormalClosure})
			take(outer)
			if got := len(seen); got != 3 || seen[0] != "a" || seen[1] != "notice" || seen[2] != "b" {
				t.Errorf("%s: it saw %q", name, seen)
			}
		}
	})
}
