package mux_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/mux"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// What panics or ends the goroutine in a function of the program ends the mux with that,
// and crashes nothing. The link lives on, and its messages may be taken elsewhere.
func TestPanics(t *testing.T) {
	mine := errors.New("mine")
	for name, do := range map[string]func(){"panic": func() { panic(mine) }, "Goexit": runtime.Goexit} {
		for where, set := range map[string]func(*mux.Options[string]){
			"Topic":     func(o *mux.Options[string]) { o.Topic = func(stream.Message) (string, bool) { do(); return "", false } },
			"Subscribe": func(o *mux.Options[string]) { o.Subscribe = func([]string) []stream.Message { do(); return nil } },
			"Limiter": func(o *mux.Options[string]) {
				o.Limiter = limiterFunc(func(context.Context) error { do(); return nil })
			},
		} {
			t.Run(where+", "+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					o := options(10)
					set(o)
					s := &server{t: t}
					conn := s.accept()
					m := mux.New(conn, o)
					sub := m.Topic("a").Chan(ctx, nil)
					synctest.Wait()
					if where == "Topic" {
						s.sends("a:1")
					}
					for range sub.C {
						t.Error("a message came")
					}
					why := sub.Err()
					if _, general := why.(*result.General); name == "panic" && why != mine || name == "Goexit" && !general {
						t.Errorf("it ended with %v", why)
					}
					if _, err := m.Call(ctx, "b", text("b")); name == "panic" && !errors.Is(err, mine) || err == nil {
						t.Errorf("a call ended with %v", err)
					}
					synctest.Wait()
					next := conn.Chan(ctx, nil)
					s.sends("a:2")
					gets(t, next, "a:2")
					conn.CloseNow(nil)
					s.last().CloseNow(nil)
					synctest.Wait()
				})
			})
		}
	}
}
