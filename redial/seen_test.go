package redial_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Seen that panics, or ends the goroutine, ends the source with that, in whatever way
// messages are taken: the stream ends, and Seen is not called again.
func TestSeenPanics(t *testing.T) {
	for name, do := range map[string]func(){"panic": func() { panic(errNobody) }, "Goexit": runtime.Goexit} {
		for face, take := range map[string]func(*redial.Source) error{
			"All": func(src *redial.Source) (why error) {
				for _, err := range src.All(ctx) {
					why = err
				}
				return why
			},
			"Chan": func(src *redial.Source) error {
				sub := src.Chan(ctx, nil)
				for range sub.C {
				}
				return sub.Err()
			},
		} {
			bubble(t, name+", "+face, func(t *testing.T) {
				server := newServer(t)
				calls := 0
				src := redial.New(ctx, server.dial, &redial.Options{Retry: at, Seen: func(stream.Message) { calls++; do() }})
				p := <-server.peers
				p.Sends(script.Text("one"), script.Text("two"))
				var why error
				returned := false
				go func() { // the loop's own goroutine may be ended
					why = take(src)
					returned = true
				}()
				_, err := ends(t, src)
				if _, general := err.(*result.General); name == "panic" && err != errNobody || name == "Goexit" && !general {
					t.Errorf("it ended with %v", err)
				}
				synctest.Wait()
				if ended := name == "Goexit" && face == "All"; returned == ended || returned && why != err {
					t.Errorf("the stream has ended: %t, with %v", returned, why)
				}
				want(t, "calls of Seen", calls, 1)
			})
		}
	}
}

// A value in the context of the source is found in that of each function.
func TestContextValues(t *testing.T) {
	bubble(t, "values", func(t *testing.T) {
		type key struct{}
		server := newServer(t)
		found := make(chan any, 2)
		src := redial.New(context.WithValue(ctx, key{}, 1), func(ctx context.Context) (*stream.Conn, error) {
			found <- ctx.Value(key{})
			return server.dial(ctx)
		}, &redial.Options{Open: func(ctx context.Context, _ *stream.Conn, _ *stream.Gap) (bool, error) {
			found <- ctx.Value(key{})
			return true, nil
		}})
		defer src.CloseNow(nil)
		want[any](t, "the value for dial", <-found, 1)
		want[any](t, "the value for Open", <-found, 1)
	})
}
