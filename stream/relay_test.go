package stream_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// relayFaces are the faces of a Relay that tell all that they were given, and how it
// ended.
var relayFaces = []struct {
	name string
	take func(ctx context.Context, r *stream.Relay, got func(stream.Message)) error
}{
	{"All", func(ctx context.Context, r *stream.Relay, got func(stream.Message)) error {
		for m, err := range r.All(ctx) {
			if err != nil {
				return err
			}
			got(m)
		}
		return nil
	}},
	{"Chan", func(ctx context.Context, r *stream.Relay, got func(stream.Message)) error {
		s := r.Chan(ctx, nil)
		for m := range s.C {
			got(m)
		}
		return s.Err()
	}},
	{"Batches", func(ctx context.Context, r *stream.Relay, got func(stream.Message)) error {
		s := r.Batches(ctx, nil)
		for batch := range s.C {
			for _, m := range batch {
				got(m)
			}
		}
		return s.Err()
	}},
}

// tell is how a message shows in these tests.
func tell(m stream.Message) string {
	from := "-"
	if o := m.Origin(); o != nil {
		from = fmt.Sprintf("%s%d", o.Name, o.Epoch)
	}
	if g := m.Gap(); g != nil {
		return fmt.Sprintf("%s gap %d>%d", from, g.From, g.To)
	}
	return from + " " + m.String()
}

// One connection after another, with Notices between them, looks the same in every
// face.
func TestRelayOfOneConnectionAfterAnother(t *testing.T) {
	for _, face := range relayFaces {
		bubble(t, face.name, func(t *testing.T) {
			r, f := stream.NewRelay(nil)
			go func() {
				f.Put(ctx, stream.Message{Type: stream.Text, Data: []byte("first")})
				for epoch := uint64(1); epoch <= 3; epoch++ {
					p := script.Client(t, nil)
					p.Sends(script.Text("one"), script.Text("two"), script.Text("three "), script.Close(1001, ""))
					ended := make(chan result.Status)
					f.Join(p.Conn, &stream.JoinOptions{
						Origin: stream.Origin{Name: "a", Epoch: epoch},
						Ended:  func(s result.Status) { ended <- s },
					})
					if st := <-ended; st.Received != 1001 {
						t.Errorf("connection %d ended with %+v", epoch, st)
					}
					f.Notify(ctx, nil, &stream.Gap{From: epoch})
				}
				f.End(result.Status{Code: 1000})
			}()
			var got []string
			err := face.take(ctx, r, func(m stream.Message) { got = append(got, tell(m)) })
			want := []string{"- first"}
			for i := 1; i <= 3; i++ {
				for _, s := range []string{"one", "two", "three "} {
					want = append(want, fmt.Sprintf("a%d %s", i, s))
				}
				want = append(want, fmt.Sprintf("- gap %d>0", i))
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

// An observer whose context ends while it subscribes does not wait for itself.
func TestObserverLeavesWhileItSubscribes(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		relay, feeder := stream.NewRelay(nil)
		for range 500 {
			short, cancel := context.WithCancel(ctx)
			go cancel()
			for range relay.Observable(nil).Observe(rxgo.WithContext(short)) {
			}
		}
		feeder.End(result.Status{Code: 1000})
	})
}

// What a subscription dropped before a message is told to that subscription alone: not
// to the next one, which gets what was given back, nor to those of another Relay.
func TestSkippedIsOfOneSubscription(t *testing.T) {
	bubble(t, "given back", func(t *testing.T) {
		relay, feeder := stream.NewRelay(nil)
		short, cancel := context.WithCancel(ctx)
		items := relay.Observable(&stream.SubscribeOptions{Policy: stream.DropOldest, Size: 1}).Observe(rxgo.WithContext(short))
		synctest.Wait()
		for n := range 10 {
			feeder.Put(ctx, text(fmt.Sprint(n)))
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		next := relay.Chan(ctx, nil)
		feeder.Put(ctx, text("next"))
		feeder.End(result.Status{Code: 1000})
		var got []string
		for m := range next.C {
			if m.Skipped() != 0 {
				t.Errorf("%d messages were skipped before %s, want none", m.Skipped(), m)
			}
			got = append(got, m.String())
		}
		if len(got) < 2 {
			t.Errorf("%q came, want what was given back, too", got)
		}
		for range items {
		}
	})
	bubble(t, "put", func(t *testing.T) {
		relay, feeder := stream.NewRelay(nil)
		sub := relay.Chan(ctx, &stream.SubscribeOptions{Policy: stream.DropOldest, Size: 1})
		for n := range 10 {
			feeder.Put(ctx, text(fmt.Sprint(n)))
		}
		m := <-sub.C
		if m.Skipped() != 9 {
			t.Fatalf("%d messages were skipped before %s, want 9", m.Skipped(), m)
		}
		other, into := stream.NewRelay(nil)
		its := other.Chan(ctx, nil)
		into.Put(ctx, m)
		if m := <-its.C; m.Skipped() != 0 {
			t.Errorf("%d messages were skipped before %s, want none", m.Skipped(), m)
		}
		feeder.End(result.Status{Code: 1000})
		into.End(result.Status{Code: 1000})
	})
	bubble(t, "given back by a connection", func(t *testing.T) {
		p := script.Client(t, nil)
		short, cancel := context.WithCancel(ctx)
		items := p.Conn.Observable(&stream.SubscribeOptions{Policy: stream.DropOldest, Size: 1}).Observe(rxgo.WithContext(short))
		synctest.Wait()
		for n := range 10 {
			p.Sends(script.Text(fmt.Sprint(n)))
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		next := p.Conn.Chan(ctx, nil)
		p.Sends(script.Text("next"), script.Close(1000, ""))
		got := 0
		for m := range next.C {
			if got++; m.Skipped() != 0 {
				t.Errorf("%d messages were skipped before %s, want none", m.Skipped(), m)
			}
		}
		if got < 2 {
			t.Errorf("%d messages came, want what was given back, too", got)
		}
		for range items {
		}
	})
}
