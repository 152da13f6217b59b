package stream_test

import (
	"fmt"
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
	const flooding, each, queue, batch = 8, 2000, 10, 64
	subscribe := map[string]func(r *stream.Relay) func() (stream.Message, bool){
		"Chan": func(r *stream.Relay) func() (stream.Message, bool) {
			sub := r.Chan(ctx, &stream.SubscribeOptions{Size: queue})
			return func() (stream.Message, bool) { m, ok := <-sub.C; return m, ok }
		},
		"All": func(r *stream.Relay) func() (stream.Message, bool) {
			ch := make(chan stream.Message, queue)
			go func() {
				defer close(ch)
				for m := range r.All(ctx) {
					ch <- m.Clone()
				}
			}()
			return func() (stream.Message, bool) { m, ok := <-ch; return m, ok }
		},
	}
	for name, subscribe := range subscribe {
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
			next := subscribe(r)
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
					if most := queue + 3*batch + flooding*batch; total-sent > most {
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
