package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A source that sends little waits for no more than what the subscriber's queue holds
// and one batch of each of the others, however much those have.
func TestAQuietSourceOfARelayIsHeard(t *testing.T) {
	const flooding, each, queue = 8, 2000, 10
	type way struct {
		batch int // the most messages in a turn
		take  func(r *stream.Relay) func() (stream.Message, bool)
	}
	ways := map[string]way{
		"Chan": {64, func(r *stream.Relay) func() (stream.Message, bool) {
			sub := r.Chan(ctx, &stream.SubscribeOptions{Size: queue})
			return func() (stream.Message, bool) { m, ok := <-sub.C; return m, ok }
		}},
		"Batches": {256, func(r *stream.Relay) func() (stream.Message, bool) {
			sub := r.Batches(ctx, &stream.SubscribeOptions{Size: 1})
			var batch []stream.Message
			return func() (m stream.Message, ok bool) {
				if len(batch) == 0 {
					if batch, ok = <-sub.C; !ok {
						return m, false
					}
				}
				m, batch = batch[0], batch[1:]
				return m, true
			}
		}},
		"All": {64, func(r *stream.Relay) func() (stream.Message, bool) {
			ch := make(chan stream.Message, queue)
			go func() {
				defer close(ch)
				for m := range r.All(ctx) {
					ch <- m.Clone()
				}
			}()
			return func() (stream.Message, bool) { m, ok := <-ch; return m, ok }
		}},
	}
	for name, way := range ways {
		bubble(t, name, func(t *testing.T) {
			r, f := stream.NewRelay(nil)
			left := flooding + 1
			ended := make(chan result.Status, left)
			flood := make([]script.Frame, each)
			for i := range flood {
				flood[i] = script.Text("flood")
			}
			for range flooding {
				p := script.Client(t, nil)
				join(t, f, p.Conn, func(st result.Status) { ended <- st })
				p.Sends(append(flood, script.Close(1000, ""))...)
			}
			quiet := script.Client(t, nil)
			join(t, f, quiet.Conn, func(st result.Status) { ended <- st })
			go func() {
				for range left {
					<-ended
				}
				f.End(result.Status{Code: 1000})
			}()
			next := way.take(r)
			synctest.Wait() // all wait
			total, asked := 0, 0
			for n := 0; ; n++ {
				if n%1000 == 500 && asked < 8 {
					asked++
					quiet.Sends(script.Text(fmt.Sprint("quiet ", total)))
					synctest.Wait()
				}
				m, ok := next()
				if !ok {
					break
				}
				total++
				if at, is := strings.CutPrefix(m.String(), "quiet "); is {
					sent := 0
					fmt.Sscan(at, &sent)
					// What stood in the queues, what the one who has the turn holds, and
					// a batch of each of those who wait.
					if most := queue + (3+flooding)*way.batch; total-sent > most {
						t.Errorf("%d messages came before that of the quiet one, want up to %d", total-sent, most)
					}
					if asked == 8 {
						quiet.Sends(script.Close(1000, ""))
						asked++
					}
				}
			}
			if total != flooding*each+8 {
				t.Errorf("%d messages came, want %d", total, flooding*each+8)
			}
		})
	}
}

// A source that is paused while it waits for its turn gives nothing when that comes, and
// holds up nobody.
func TestPauseWhileWaitingForATurn(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		a, b := script.Client(t, nil), script.Client(t, nil)
		join(t, f, a.Conn, nil)
		join(t, f, b.Conn, nil)
		sub := r.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		a.Sends(script.Text("a"), script.Text("a"), script.Text("a")) // one waits in the queue, one for room
		synctest.Wait()
		b.Sends(script.Text("b"))
		synctest.Wait()
		resume := b.Conn.Pause()
		a.Sends(script.Text("a"))
		for range 4 {
			if m := <-sub.C; m.String() != "a" {
				t.Errorf("%q came, although its source is paused", m)
			}
		}
		resume()
		if m := <-sub.C; m.String() != "b" {
			t.Errorf("%q came, want b", m)
		}
		f.End(result.Status{Code: 1000})
	})
}

// A Relay that ends while its taker still has messages of a source to come, which has
// ended itself: the terminal event is there at once, the messages come, and then the
// stream ends.
func TestEndBehindWhatIsHeld(t *testing.T) {
	for _, face := range relayFaces {
		bubble(t, face.name, func(t *testing.T) {
			r, f := stream.NewRelay(nil)
			p := script.Client(t, nil)
			if _, err := f.Join(p.Conn, &stream.JoinOptions{Origin: stream.Origin{Epoch: 1}}); err != nil {
				t.Fatal(err)
			}
			p.Sends(script.Text("one"), script.Text("two"), script.Text("three"), script.Close(1000, ""))
			var got []string
			err := face.take(ctx, r, func(m stream.Message) {
				if got = append(got, tell(m)); len(got) > 1 {
					return
				}
				<-p.Conn.Done()
				f.End(result.Status{Code: 1000, Reason: "enough"})
				if _, ended := r.Result().Status(); !ended {
					t.Error("the terminal event waits")
				}
				synctest.Wait()
			})
			if want := []string{"1 one", "1 two", "1 three"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("%q came, and %v; want %q", got, err, want)
			}
		})
	}
}

// What nobody has taken when a Relay ends is there for whoever comes then.
func TestEndWithoutATaker(t *testing.T) {
	for _, face := range relayFaces {
		bubble(t, face.name, func(t *testing.T) {
			r, f := stream.NewRelay(nil)
			p := script.Client(t, nil)
			if _, err := f.Join(p.Conn, &stream.JoinOptions{Origin: stream.Origin{Epoch: 1}}); err != nil {
				t.Fatal(err)
			}
			p.Sends(script.Text("one"), script.Text("two"), script.Close(1000, ""))
			<-p.Conn.Done()
			f.End(result.Status{Code: 1000})
			synctest.Wait()
			var got []string
			err := face.take(context.Background(), r, func(m stream.Message) { got = append(got, tell(m)) })
			if want := []string{"1 one", "1 two"}; err != nil || !slices.Equal(got, want) {
				t.Errorf("%q came, and %v; want %q", got, err, want)
			}
		})
	}
}

// Loops that each take one message and leave, behind the end of a Relay: each gets the
// next one, whose memory is still its own.
func TestLoopsBehindTheEnd(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		texts := []string{"one", "two", "three"}
		for _, text := range texts {
			if err := f.Put(ctx, stream.Message{Type: stream.Text, Data: []byte(text)}.Clone()); err != nil {
				t.Fatal(err)
			}
		}
		f.End(result.Status{Code: 1000})
		for _, want := range texts {
			if m, err := firstOf(t, r.All(ctx)); err != nil || m.String() != want {
				t.Errorf("%q, %v comes, want %q", m, err, want)
			}
		}
	})
}

// A loop whose context ends in its body gets no message more, also where those that
// follow have come through its channel: the next taker gets them.
func TestLoopEndsWithItsContext(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		r, f := stream.NewRelay(nil)
		var names []string
		for range 2 {
			p := script.Client(t, nil)
			join(t, f, p.Conn, nil)
			p.Sends(script.Text("one"), script.Text("two"), script.Text("three"))
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		mine := errors.New("mine")
		for m, err := range r.All(ctx) {
			if err != nil {
				names = append(names, err.Error())
				break
			}
			names = append(names, m.String())
			synctest.Wait() // more has come
			cancel(mine)
		}
		if got := fmt.Sprint(names); got != "[one mine]" {
			t.Errorf("the loop got %s", got)
		}
		rest := r.Chan(t.Context(), nil)
		synctest.Wait()
		if n := len(rest.C); n != 5 {
			t.Errorf("the next taker got %d messages, want 5", n)
		}
		f.End(result.Status{Code: 1000})
	})
}
