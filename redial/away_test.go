package redial_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// How a program ends a source whose taker is away.
var awayEnds = map[string]func(*redial.Source, context.CancelCauseFunc){
	"Close":    func(s *redial.Source, _ context.CancelCauseFunc) { s.Close(1000, "") },
	"CloseNow": func(s *redial.Source, _ context.CancelCauseFunc) { s.CloseNow(errNobody) },
	"context":  func(_ *redial.Source, cancel context.CancelCauseFunc) { cancel(errNobody) },
}

// wantEnd wants the source to have ended as a Close, or what cuts it, ends it.
func wantEnd(t *testing.T, src *redial.Source, how string) {
	t.Helper()
	synctest.Wait()
	st, ended := src.Result().Status()
	failed, _ := st.Err.(*result.ConnectionFailed)
	if good := st.Err == nil || failed != nil && failed.Err == errNobody; !ended || !good || st.Err == nil != (how == "Close") {
		t.Errorf("it has ended: %t, with %+v", ended, st)
	}
}

// A source ends wherever it stands, also while its taker takes nothing. After a Close
// what came before is still handed on.
func TestEndsWhileTakerIsAway(t *testing.T) {
	for where, test := range map[string]struct {
		stands func(p *script.Peer)
		rest   int // messages and Notices that wait
	}{
		"open and lost": {func(p *script.Peer) { p.Sends(script.Text("one"), script.Text("two"), script.Text("three")); p.Cuts() }, 3},
		"lost":          {func(p *script.Peer) { p.Sends(script.Text("one")); p.Cuts() }, 2},
	} {
		for how, end := range awayEnds {
			bubble(t, where+", "+how, func(t *testing.T) {
				server := newServer(t)
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
				sub := src.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
				test.stands(<-server.peers)
				time.Sleep(time.Minute) // the cut has been seen ahead
				end(src, cancel)
				wantEnd(t, src, how)
				rest := 0
				for range sub.C {
					rest++
				}
				if how == "Close" {
					want(t, "the messages behind the end", rest, test.rest)
				}
			})
		}
	}
}

// The body of a loop, which holds up its source, may end it and wait for that.
func TestEndsInLoop(t *testing.T) {
	for _, cuts := range []bool{false, true} {
		for how, end := range awayEnds {
			if how == "Close" && !cuts {
				continue // that is TestShutdownInLoop
			}
			bubble(t, how, func(t *testing.T) {
				server := newServer(t)
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
				p := <-server.peers
				p.Sends(script.Text("one"), script.Text("two"), script.Text("three"))
				if cuts {
					p.Cuts()
				}
				got := 0
				for _, err := range src.All(t.Context()) {
					if err != nil {
						want(t, "the loop's error", errors.Is(err, errNobody), true)
						break
					}
					if got++; got == 1 {
						time.Sleep(time.Minute) // a cut has been seen ahead
						end(src, cancel)
						wantEnd(t, src, how)
					}
				}
				if how == "Close" {
					want(t, "the messages of the loop", got, 3)
				}
			})
		}
	}
}

// What fails because the context of the source ends is no failed attempt, about which
// Retry would be asked.
func TestContextIsNoFailure(t *testing.T) {
	for range 50 {
		bubble(t, "dialing", func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(ctx)
			hangs := func(ctx context.Context) (*stream.Conn, error) {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			src := redial.New(ctx, hangs, &redial.Options{Retry: func(int, error) (time.Duration, bool) {
				t.Error("Retry is asked")
				return 0, false
			}})
			synctest.Wait()
			cancel(errNobody)
			wantEnd(t, src, "context")
		})
	}
}

// A source whose next connection is open, while the Notice of that still waits for the
// taker: it ends as any other, and after a Close the Notice comes, and what the
// connection brought behind it.
func TestEndsBehindANotice(t *testing.T) {
	for how, end := range awayEnds {
		bubble(t, how, func(t *testing.T) {
			server := newServer(t)
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
			sub := src.Chan(t.Context(), &stream.SubscribeOptions{Size: 1})
			p := <-server.peers
			p.Sends(script.Text("one"))
			p.Cuts()
			synctest.Wait()
			<-sub.C
			p = <-server.peers
			go func() { // ends with the connection
				if p.Sends(script.Text("two")); how == "Close" {
					p.WantsClose(1000)
					p.Sends(script.Close(1000, ""))
				}
			}()
			synctest.Wait()
			if src.Conn() == nil {
				t.Fatal("the next connection is not open")
			}
			end(src, cancel)
			wantEnd(t, src, how)
			var rest []string
			for m := range sub.C {
				if g := m.Gap(); g != nil {
					rest = append(rest, fmt.Sprint(g.From, ">", g.To))
				} else {
					rest = append(rest, m.String())
				}
			}
			if how == "Close" {
				want(t, "what came", strings.Join(rest, ", "), "1>0, 1>2, two")
			}
		})
	}
}
