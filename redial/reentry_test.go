package redial_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/stream"
)

// Each function of the program may call the source, in each way that does not wait for
// what waits for that function: the source goes on, and ends when it is told to.
func TestFunctionsCallTheSource(t *testing.T) {
	calls := map[string]func(*redial.Source){
		"Close":      func(s *redial.Source) { s.Close(1000, "") },
		"CloseNow":   func(s *redial.Source) { s.CloseNow(nil) },
		"Conn.Close": func(s *redial.Source) { s.Conn().Close(1000, "") },
		"Conn.CloseNow": func(s *redial.Source) {
			if conn := s.Conn(); conn != nil {
				conn.CloseNow(nil)
			}
		},
		"Shutdown": func(s *redial.Source) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			s.Shutdown(ctx, 1000, "")
		},
		"CloseNow and Done": func(s *redial.Source) { s.CloseNow(nil); <-s.Done() },
		"Send": func(s *redial.Source) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			s.SendText(ctx, "hello")
		},
		"Pause":     func(s *redial.Source) { time.AfterFunc(time.Second, s.Pause()) },
		"subscribe": func(s *redial.Source) { s.Chan(ctx, nil).Cancel(); s.OnText(func(string) {})() },
		"All": func(s *redial.Source) {
			for range s.All(ctx) {
				break
			}
		},
		"Result": func(s *redial.Source) { s.Result().Then(nil, nil); s.Result().Status() },
	}
	for _, where := range []string{"Open", "Seen", "Retry", "Unsent", "OnText", "OnGap", "body"} {
		for what, call := range calls {
			if what == "Conn.Close" && (where == "Open" || where == "Retry" || where == "OnGap" || where == "Unsent") {
				continue // there is no connection
			}
			if what == "All" && where == "Seen" {
				continue // it waits for the message at hand
			}
			bubble(t, fmt.Sprint(what, " in ", where), func(t *testing.T) {
				server := newServer(t)
				var src *redial.Source
				made := make(chan struct{})
				var n atomic.Int64
				in := func(here string) {
					if <-made; here == where && n.Add(1) < 3 {
						call(src)
					}
				}
				dial := func(ctx context.Context) (*stream.Conn, error) {
					conn, err := server.dial(ctx)
					p := <-server.peers
					go func() { // ends with the connection
						p.Sends(script.Text("one"), script.Text("two"))
						time.Sleep(time.Second)
						p.Cuts()
					}()
					return conn, err
				}
				src = redial.New(ctx, dial, &redial.Options{
					Seen: func(stream.Message) { in("Seen") },
					Open: func(context.Context, *stream.Conn, *stream.Gap) (bool, error) {
						in("Open")
						return true, nil
					},
					Retry: func(int, error) (time.Duration, bool) {
						in("Retry")
						return time.Second, true
					},
				})
				close(made)
				sink := src.Sink(ctx, &stream.SinkOptions{Unsent: func(stream.Message, error) { in("Unsent") }})
				go func() { // ends with the source
					defer close(sink)
					for range time.Tick(time.Second / 3) {
						select {
						case sink <- text("x"):
						case <-src.Done():
							return
						}
					}
				}()
				switch where {
				case "OnText":
					src.OnText(func(string) { in(where) })
				case "OnGap":
					src.OnGap(func(*stream.Origin, *stream.Gap) { in(where) })
				default:
					go func() { // ends with the source
						for range src.All(ctx) {
							in("body")
						}
					}()
				}
				time.Sleep(time.Minute)
				if n.Load() == 0 {
					t.Error("it was not called")
				}
				src.CloseNow(nil)
				<-src.Done()
				time.Sleep(time.Minute)
			})
		}
	}
}
