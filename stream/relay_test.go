package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// Takers is told of the first taker and of the last one's end, whatever they are.
func TestTakers(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		var told []bool
		r, f := stream.NewRelay(&stream.RelayOptions{Takers: func(any bool) { told = append(told, any) }})
		want := []bool{}
		check := func(what string, any ...bool) {
			t.Helper()
			synctest.Wait()
			if want = append(want, any...); !slices.Equal(told, want) {
				t.Errorf("%s: told %v, want %v", what, told, want)
			}
		}
		one := r.Chan(ctx, nil)
		check("one has come", true)
		two := r.Batches(ctx, nil)
		one.Cancel()
		check("another has come, and the first left")
		two.Cancel()
		check("both have left", false)
		stop := r.OnText(func(string) {})
		check("a callback", true)
		stop()
		check("it was stopped", false)
		short, cancel := context.WithCancel(ctx)
		go func() {
			for range r.All(short) {
			}
		}()
		check("a loop", true)
		cancel()
		check("it has ended", false)
		r.Observable(nil).Observe()
		check("an observer", true)
		f.End(result.Status{Code: 1000})
		check("the end", false)
		r.Chan(ctx, nil)
		check("after the end")
	})
}

// A batch has one origin, and a Notice is one of its own, also where all of them
// waited for the subscriber.
func TestBatchesOfARelay(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		for epoch := range uint64(3) {
			p := script.Client(t, nil)
			p.Sends(script.Text("a"), script.Text("b"), script.Text("c"), script.Close(1000, ""))
			ended := make(chan result.Status)
			f.Join(p.Conn, &stream.JoinOptions{Origin: stream.Origin{Epoch: epoch}, Ended: func(s result.Status) { ended <- s }})
			<-ended // although nobody takes
			f.Notify(ctx, nil, &stream.Gap{From: epoch})
		}
		f.Notify(ctx, nil, &stream.Gap{From: 3})
		f.End(result.Status{Code: 1000})
		var got []string
		for batch := range r.Batches(ctx, nil).C {
			var all []string
			for _, m := range batch {
				all = append(all, tell(m))
			}
			got = append(got, strings.Join(all, ","))
		}
		want := []string{"0 a,0 b,0 c", "- gap 0>0", "1 a,1 b,1 c", "- gap 1>0", "2 a,2 b,2 c", "- gap 2>0", "- gap 3>0"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A callback that panics ends the Relay with its value.
func TestPanicInACallbackOfARelay(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		p := script.Client(t, nil)
		join(t, f, p.Conn, nil)
		value := errors.New("the value")
		r.OnText(func(string) { panic(value) })
		p.Sends(script.Text("one"))
		if _, err := r.Result().Wait(ctx); err != value {
			t.Errorf("the Relay ends with %v", err)
		}
		p.Sends(script.Text("two"))
		sub := p.Conn.Chan(ctx, nil)
		if m := <-sub.C; m.String() != "two" {
			t.Errorf("%q comes", m)
		}
	})
}

// A source that a loop has read from is not forgotten when another one is joined, and
// nor is the loop when it is alone with one again.
func TestLoopGoesOnAsASourceComes(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		a, b := script.Client(t, nil), script.Client(t, nil)
		join(t, f, a.Conn, nil)
		got := make(chan string)
		go func() { // ends with the Relay
			defer close(got)
			for m := range r.All(ctx) {
				got <- m.String()
			}
		}()
		wants := func(p *script.Peer, text string) {
			t.Helper()
			synctest.Wait()
			p.Sends(script.Text(text))
			if m := <-got; m != text {
				t.Errorf("the loop got %q, want %q", m, text)
			}
		}
		wants(a, "a1")
		leave := join(t, f, b.Conn, nil)
		wants(a, "a2")
		wants(b, "b1")
		leave()
		wants(a, "a3")
		f.End(result.Status{Code: 1000})
		for m := range got {
			t.Errorf("%q came, too", m)
		}
	})
}
