package stream_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A joined source is the Relay's alone, until it is left; what the Relay did not hand
// on stays there.
func TestAJoinedSourceIsTaken(t *testing.T) {
	takes := map[string]func(s stream.Source) error{
		"All": func(s stream.Source) (last error) {
			for _, err := range s.All(ctx) {
				last = err
				break
			}
			return last
		},
		"Chan":    func(s stream.Source) error { return s.Chan(ctx, nil).Err() },
		"Batches": func(s stream.Source) error { return s.Batches(ctx, nil).Err() },
		"Join": func(s stream.Source) error {
			_, f := stream.NewRelay(nil)
			_, err := f.Join(s, &stream.JoinOptions{})
			return err
		},
		"Reader": func(s stream.Source) error {
			if c, ok := s.(*stream.Conn); ok {
				_, _, err := c.Reader(ctx)
				return err
			}
			return stream.ErrTaken
		},
	}
	for name, take := range takes {
		for _, taken := range []bool{false, true} {
			bubble(t, name, func(t *testing.T) {
				p := script.Client(t, nil)
				inner, fi := stream.NewRelay(nil)
				outer, fo := stream.NewRelay(nil)
				first := join(t, fi, p.Conn, nil)
				second := join(t, fo, inner, nil)
				var sub *stream.Subscription[stream.Message]
				if taken {
					sub = outer.Chan(ctx, nil)
				}
				for _, s := range []stream.Source{p.Conn, inner} {
					if err := take(s); err != stream.ErrTaken {
						t.Errorf("%s of a joined %T returns %v", name, s, err)
					}
				}
				p.Sends(script.Text("one"))
				if taken {
					if m := <-sub.C; m.String() != "one" {
						t.Errorf("%q comes", m)
					}
					p.Sends(script.Text("two"))
					synctest.Wait()
					if m := <-sub.C; m.String() != "two" {
						t.Errorf("%q comes", m)
					}
				}
				second()
				first()
				second()
				p.Sends(script.Text("three"))
				want := []string{"one", "three"}
				if taken {
					want = want[1:]
				}
				mine := p.Conn.Chan(ctx, nil)
				for _, w := range want {
					if m := <-mine.C; m.String() != w || m.Origin() != nil {
						t.Errorf("after it was left %q of %v comes, want %q", m, m.Origin(), w)
					}
				}
				if taken && len(sub.C) > 0 {
					t.Error("the Relay still hands on")
				}
				fi.End(result.Status{Code: 1000})
				fo.End(result.Status{Code: 1000})
			})
		}
	}
}

// A source that others take from cannot be joined.
func TestATakenSourceCannotBeJoined(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		_, f := stream.NewRelay(nil)
		p := script.Client(t, nil)
		sub := p.Conn.Chan(ctx, nil)
		if _, err := f.Join(p.Conn, &stream.JoinOptions{}); err != stream.ErrTaken {
			t.Errorf("Join of what is taken by Chan returns %v", err)
		}
		sub.Cancel()
		synctest.Wait()
		inAll := make(chan error)
		go func() {
			for range p.Conn.All(ctx) {
				_, err := f.Join(p.Conn, &stream.JoinOptions{})
				inAll <- err
				break
			}
		}()
		p.Sends(script.Text("one"))
		if err := <-inAll; err != stream.ErrTaken {
			t.Errorf("Join of what is taken by All returns %v", err)
		}
	})
}

func TestBadJoins(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		var bad *result.ArgumentError
		var none context.Context
		a, fa := stream.NewRelay(nil)
		b, fb := stream.NewRelay(nil)
		c, fc := stream.NewRelay(nil)
		join(t, fb, a, nil)
		join(t, fc, b, nil)
		for name, err := range map[string]error{
			"nil":            second(fa.Join(nil, &stream.JoinOptions{})),
			"itself":         second(fa.Join(a, &stream.JoinOptions{})),
			"its own taker":  second(fa.Join(c, &stream.JoinOptions{})),
			"Put, nil ctx":   fa.Put(none, text("x")),
			"Put of a Ping":  fa.Put(ctx, stream.Message{Type: stream.Ping}),
			"Put, no gap":    fa.Put(ctx, stream.Message{Type: stream.Notice}),
			"Notify, no gap": fa.Notify(ctx, nil, nil),
			"Notify, no ctx": fa.Notify(none, nil, gap),
		} {
			if !errors.As(err, &bad) {
				t.Errorf("%s: %v", name, err)
			}
		}
		fa.End(result.Status{Code: 1000})
		fa.End(result.Status{Code: 1001})
		if st, _ := a.Result().Status(); st.Code != 1000 {
			t.Errorf("the second End counts: %v", st)
		}
		p := script.Client(t, nil)
		for name, err := range map[string]error{
			"Join":   second(fa.Join(p.Conn, &stream.JoinOptions{})),
			"Put":    fa.Put(ctx, text("x")),
			"Notify": fa.Notify(ctx, nil, gap),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
		if err := p.Conn.Chan(ctx, nil).Err(); err != nil {
			t.Errorf("what could not be joined is taken: %v", err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// Messages of a Relay have the name of the outer one and the epoch of the inner one,
// and one Origin for each; Notices come where they stood.
func TestOriginsThroughTwoRelays(t *testing.T) {
	for _, several := range []bool{false, true} {
		for _, face := range relayFaces {
			bubble(t, face.name, func(t *testing.T) {
				inner, fi := stream.NewRelay(nil)
				outer, fo := stream.NewRelay(nil)
				if _, err := fo.Join(inner, &stream.JoinOptions{Origin: stream.Origin{Name: "outer", Epoch: 99}, Ended: fo.End}); err != nil {
					t.Fatal(err)
				}
				if several {
					join(t, fo, script.Client(t, nil).Conn, nil)
				}
				go func() {
					for epoch := uint64(1); epoch <= 2; epoch++ {
						p := script.Client(t, nil)
						p.Sends(script.Text("one"), script.Text("two"), script.Close(1000, ""))
						ended := make(chan result.Status)
						fi.Join(p.Conn, &stream.JoinOptions{Origin: stream.Origin{Name: "inner", Epoch: epoch}, Ended: func(s result.Status) { ended <- s }})
						<-ended
						fi.Notify(ctx, &stream.Origin{Name: "inner", Epoch: epoch}, &stream.Gap{From: epoch})
					}
					fi.Put(ctx, text("last"))
					fi.End(result.Status{Code: 1000})
				}()
				var got []string
				seen := map[stream.Origin]*stream.Origin{}
				err := face.take(ctx, outer, func(m stream.Message) {
					got = append(got, tell(m))
					if o := m.Origin(); m.Type != stream.Notice {
						if seen[*o] != nil && seen[*o] != o {
							t.Errorf("two Origins are %v", *o)
						}
						seen[*o] = o
					}
				})
				want := []string{"outer1 one", "outer1 two", "outer1 gap 1>0", "outer2 one", "outer2 two", "outer2 gap 2>0", "outer0 last"}
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("got %q, %v; want %q", got, err, want)
				}
			})
		}
	}
}

// Keep is called once for each message, in order, and never for a Notice.
func TestKeep(t *testing.T) {
	for _, face := range relayFaces {
		for _, sources := range []int{1, 2} {
			bubble(t, face.name, func(t *testing.T) {
				r, f := stream.NewRelay(nil)
				inner, fi := stream.NewRelay(nil)
				var asked []string
				f.Join(inner, &stream.JoinOptions{
					Keep: func(m stream.Message) bool {
						asked = append(asked, m.String())
						return m.String() != "two"
					},
					Ended: f.End,
				})
				for range sources - 1 {
					join(t, f, script.Client(t, nil).Conn, nil)
				}
				go func() {
					p := script.Client(t, nil)
					ended := make(chan result.Status)
					join(t, fi, p.Conn, func(st result.Status) { ended <- st })
					p.Sends(script.Text("one"), script.Text("two"))
					synctest.Wait()
					fi.Notify(ctx, nil, gap)
					p.Sends(script.Text("two"), script.Text("three"), script.Close(1000, ""))
					fi.End(<-ended)
				}()
				var got []string
				for range 2 { // the second one takes over
					short, cancel := context.WithCancel(ctx)
					face.take(short, r, func(m stream.Message) {
						if got = append(got, m.String()); len(got) == 1 {
							cancel()
						}
					})
					cancel()
				}
				if want := []string{"one", "two", "two", "three"}; !slices.Equal(asked, want) {
					t.Errorf("asked for %q, want %q", asked, want)
				}
				if want := []string{"one", "", "three"}; !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// A connection that ends while nobody takes is drained, so that another one may
// follow; so is a Relay.
func TestSourcesEndWithoutATaker(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		inner, fi := stream.NewRelay(nil)
		p := script.Client(t, nil)
		join(t, fi, p.Conn, fi.End)
		ended := false
		join(t, f, inner, func(st result.Status) { ended = st.Code == 1000 })
		p.Sends(script.Text("one"), script.Text("two"), script.Close(1000, ""))
		time.Sleep(5 * time.Second) // the look-ahead finds the Close
		synctest.Wait()
		if !ended {
			t.Error("the sources have not ended")
		}
		sub := r.Chan(ctx, nil)
		if one, two := <-sub.C, <-sub.C; one.String() != "one" || two.String() != "two" {
			t.Errorf("%q and %q come", one, two)
		}
		f.End(result.Status{Code: 1000})
	})
}

// A source that has ended while its messages waited for the only taker is drained when
// that one leaves.
func TestSourceIsDrainedAsTheTakerLeaves(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		ended := make(chan result.Status, 1)
		p := script.Client(t, nil)
		join(t, f, p.Conn, func(st result.Status) { ended <- st })
		sub := r.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		p.Sends(script.Text("one"), script.Text("two"), script.Text("three"), script.Close(1000, ""))
		<-p.Conn.Done()
		synctest.Wait()
		sub.Cancel()
		wantsOut(t, ended)
		f.End(result.Status{Code: 1000})
	})
}

// A Live Relay without a taker drains a source that has ended, however much it holds.
func TestLiveRelayDrainsASourceThatHasEnded(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		_, f := stream.NewRelay(&stream.RelayOptions{Live: true})
		ended := make(chan result.Status, 1)
		p := script.Client(t, &stream.Options{LookAhead: 4 << 20})
		for range 3 {
			p.Sends(script.Binary(strings.Repeat("x", 1<<20)))
		}
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		join(t, f, p.Conn, func(st result.Status) { ended <- st })
		wantsOut(t, ended)
		f.End(result.Status{Code: 1000})
	})
}

// wantsOut checks that a source was taken out as it has ended.
func wantsOut(t *testing.T, ended <-chan result.Status) {
	t.Helper()
	synctest.Wait()
	select {
	case <-ended:
	default:
		t.Error("the source is still joined")
	}
}
