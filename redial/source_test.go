package redial_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

var errNobody = errors.New("nobody there")

// at waits a second between two dials.
func at(n int, err error) (time.Duration, bool) { return time.Second, true }

// A connection that is lost, dials that fail, and the next connection: what the
// stream shows, in order.
func TestGap(t *testing.T) {
	bubble(t, "gap", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		defer src.CloseNow(nil)
		p := <-server.peers
		p.Sends(script.Text("one"), script.Text("two"), script.Close(1012, "restart"))
		wantMessage(t, src, "one", 1)
		server.fails(errNobody)
		wantMessage(t, src, "two", 1)
		lost := time.Now()
		begins := wantGap(t, src, 1, 0)
		time.Sleep(3*time.Second + time.Second/2)
		server.fails(nil)
		(<-server.peers).Sends(script.Text("three"))
		ends := wantGap(t, src, 1, 2)
		wantMessage(t, src, "three", 2)
		if *begins != (stream.Gap{From: 1, Status: begins.Status, Lost: lost}) || begins.Status.Code != 1012 {
			t.Errorf("the gap begins as %+v", *begins)
		}
		if *ends != (stream.Gap{From: 1, To: 2, Status: begins.Status, Attempts: 4, Lost: lost, Down: 4 * time.Second}) {
			t.Errorf("the gap ends as %+v", *ends)
		}
	})
}

// Open runs before any message is handed on. What it takes is not handed on, and what
// it leaves is.
func TestOpen(t *testing.T) {
	bubble(t, "open", func(t *testing.T) {
		server := newServer(t)
		var seen []string
		src := redial.New(ctx, server.dial, &redial.Options{
			Retry: at,
			Seen:  func(m stream.Message) { seen = append(seen, m.String()) },
			Open: func(ctx context.Context, conn *stream.Conn, gap *stream.Gap) (bool, error) {
				if err := conn.SendText(ctx, "token"); err != nil {
					return false, err
				}
				m, err := conn.Receive(ctx)
				if err == nil && m.String() != "welcome" {
					err = errors.New("not welcome")
				}
				return gap != nil, err
			},
		})
		defer src.CloseNow(nil)
		p := <-server.peers
		p.Wants("what Open sends", script.Text("token"))
		synctest.Wait()
		want(t, "Conn while Open runs", src.Conn(), nil)
		p.Sends(script.Text("welcome"), script.Text("one"))
		wantMessage(t, src, "one", 1)
		p.Cuts()
		wantGap(t, src, 1, 0)
		p = <-server.peers
		p.Wants("what Open sends", script.Text("token"))
		p.Sends(script.Text("welcome"), script.Text("two"))
		if gap := wantGap(t, src, 1, 2); !gap.Continued {
			t.Error("Open vouched, and the Notice does not say so")
		}
		wantMessage(t, src, "two", 2)
		want(t, "seen", strings.Join(seen, " "), "one two")
	})
}

// An Open that fails is a failed attempt: its connection is closed with 1011, its
// messages are not handed on, and it has no epoch.
func TestOpenFails(t *testing.T) {
	for name, open := range map[string]func(context.Context, *stream.Conn) error{
		"an error": func(context.Context, *stream.Conn) error { return errNobody },
		"no answer": func(ctx context.Context, conn *stream.Conn) error {
			_, err := conn.Receive(ctx)
			return err
		},
		"no answer, its context unused": func(_ context.Context, conn *stream.Conn) error {
			_, err := conn.Receive(context.Background())
			return err
		},
		"the timeout unseen": func(ctx context.Context, conn *stream.Conn) error {
			<-ctx.Done()
			return nil
		},
	} {
		bubble(t, name, func(t *testing.T) {
			server := newServer(t)
			calls := 0
			var failures []error
			src := redial.New(ctx, server.dial, &redial.Options{
				Open: func(ctx context.Context, conn *stream.Conn, gap *stream.Gap) (bool, error) {
					if calls++; calls < 3 {
						return true, open(ctx, conn)
					}
					return true, nil
				},
				Retry: func(n int, err error) (time.Duration, bool) {
					want(t, "the number of the failure", n, len(failures)+1)
					failures = append(failures, err)
					return time.Second, true
				},
			})
			defer src.CloseNow(nil)
			start := time.Now()
			if name == "an error" {
				p := <-server.peers
				p.WantsClose(1011)
				p.Sends(script.Close(1011, ""))
			}
			for server.dials.Load() < 3 {
				time.Sleep(time.Second)
			}
			synctest.Wait() // the third peer is there
			for range len(server.peers) - 1 {
				<-server.peers
			}
			(<-server.peers).Sends(script.Text("one"))
			wantMessage(t, src, "one", 1)
			want(t, "failures", len(failures), 2)
			for _, err := range failures {
				if name == "an error" && err != errNobody || name != "an error" && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("an attempt failed with %v", err)
				}
			}
			if took := time.Since(start); name != "an error" && took < 30*time.Second {
				t.Errorf("it took %v, less than two timeouts", took)
			}
		})
	}
}

// What panics or ends the goroutine in a function of the program ends the source with
// that, and crashes nothing.
func TestPanics(t *testing.T) {
	panics := map[string]struct {
		do   func()
		want func(error) bool
	}{
		"an error": {func() { panic(errNobody) }, func(err error) bool { return err == errNobody }},
		"a value":  {func() { panic("boo") }, func(err error) bool { g, ok := err.(*result.General); return ok && g.Value == "boo" }},
		"Goexit":   {runtime.Goexit, func(err error) bool { _, ok := err.(*result.General); return ok }},
	}
	for name, p := range panics {
		where := map[string]func(*server) (dialFunc, *redial.Options){
			"dial": func(*server) (dialFunc, *redial.Options) {
				return func(context.Context) (*stream.Conn, error) { p.do(); return nil, nil }, nil
			},
			"Open": func(s *server) (dialFunc, *redial.Options) {
				return s.dial, &redial.Options{Open: func(context.Context, *stream.Conn, *stream.Gap) (bool, error) {
					p.do()
					return false, nil
				}}
			},
			"Retry after a dial": func(s *server) (dialFunc, *redial.Options) {
				s.fails(errNobody)
				return s.dial, &redial.Options{Retry: func(int, error) (time.Duration, bool) { p.do(); return 0, true }}
			},
			"Retry after a cut": func(s *server) (dialFunc, *redial.Options) {
				return func(ctx context.Context) (*stream.Conn, error) {
					conn, err := s.dial(ctx)
					(<-s.peers).Cuts()
					return conn, err
				}, &redial.Options{Retry: func(int, error) (time.Duration, bool) { p.do(); return 0, true }}
			},
		}
		for at, set := range where {
			bubble(t, at+", "+name, func(t *testing.T) {
				server := newServer(t)
				dial, opts := set(server)
				src := redial.New(ctx, dial, opts)
				if _, err := ends(t, src); !p.want(err) {
					t.Errorf("it ended with %v", err)
				}
			})
		}
	}
}

// Arguments that cannot be used give a source that has ended, before anything is
// dialed.
func TestArguments(t *testing.T) {
	dial := func(context.Context) (*stream.Conn, error) {
		t.Error("it dialed")
		return nil, errNobody
	}
	for name, src := range map[string]*redial.Source{
		"ctx of redial.New":          redial.New(none, dial, nil),
		"dial of redial.New":         redial.New(ctx, nil, nil),
		"redial.Options.Stable":      redial.New(ctx, dial, &redial.Options{Stable: -1}),
		"redial.Options.DataTimeout": redial.New(ctx, dial, &redial.Options{DataTimeout: -1}),
	} {
		st, ok := src.Result().Status()
		var argument *result.ArgumentError
		if !ok || !errors.As(st.Err, new(*result.General)) || !errors.As(st.Err, &argument) || argument.Name != name {
			t.Errorf("%s: %v, %+v", name, ok, st)
		}
		for _, err := range src.All(ctx) {
			want(t, "the stream's end", err, st.Err)
		}
		want(t, "Send's error", errors.Is(src.SendText(ctx, ""), net.ErrClosed), true)
	}
}

// Nil contexts, codes and reasons that cannot be sent, and a dial that returns
// nothing.
func TestArgumentsLater(t *testing.T) {
	bubble(t, "calls", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, nil)
		defer src.CloseNow(nil)
		synctest.Wait()
		_, ready := src.Ready(none)
		for name, err := range map[string]error{
			"ctx":        src.Send(none, stream.Message{Type: stream.Text}),
			"ctx ":       src.Shutdown(none, 1000, ""),
			"ctx  ":      ready,
			"close code": src.Close(1006, ""),
			"reason":     src.Close(1000, strings.Repeat("r", 124)),
		} {
			var argument *result.ArgumentError
			if !errors.As(err, &argument) || argument.Name != strings.TrimSpace(name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, ended := src.Result().Status(); ended {
			t.Error("the source has ended")
		}
	})
	bubble(t, "a dial that returns nothing", func(t *testing.T) {
		src := redial.New(ctx, func(context.Context) (*stream.Conn, error) { return nil, nil }, nil)
		if _, err := ends(t, src); !errors.As(err, new(*redial.Error)) || !errors.As(err, new(*result.General)) {
			t.Errorf("it ended with %v", err)
		}
	})
	bubble(t, "an argument is never tried again", func(t *testing.T) {
		argument := &result.ArgumentError{Name: "url", Allowed: "a URL"}
		server := newServer(t)
		server.fails(argument)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		_, err := ends(t, src)
		want(t, "the text", err.Error(), "wsflow: gave up after 1 dial: "+argument.Error())
	})
}

// A registry is a context that counts who waits for its end.
type registry struct {
	context.Context
	n atomic.Int64
}

func (r *registry) Value(any) any { return nil } // or nobody asks it to call

func (r *registry) AfterFunc(f func()) func() bool {
	r.n.Add(1)
	stop := context.AfterFunc(r.Context, f)
	return func() bool {
		r.n.Add(-1)
		return stop()
	}
}

// A source that has ended leaves nothing behind in a context that goes on.
func TestLeavesContext(t *testing.T) {
	bubble(t, "context", func(t *testing.T) {
		server := newServer(t)
		over, cancel := context.WithCancel(ctx)
		defer cancel()
		r := &registry{Context: over}
		src := redial.New(r, server.dial, nil)
		<-server.peers
		src.CloseNow(nil)
		ends(t, src)
		synctest.Wait()
		want(t, "what waits for the end of the context", r.n.Load(), 0)
	})
}

// A connection that Open left with somebody who takes its messages ends the source.
func TestOpenLeavesTaker(t *testing.T) {
	bubble(t, "taken", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Open: func(_ context.Context, conn *stream.Conn, _ *stream.Gap) (bool, error) {
			conn.Chan(ctx, nil)
			return true, nil
		}})
		if _, err := ends(t, src); !errors.Is(err, stream.ErrTaken) || !errors.As(err, new(*result.General)) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// A server that goes on living while its feed has died is left, and one is not whose
// messages are not taken.
func TestDataTimeout(t *testing.T) {
	bubble(t, "silence", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{DataTimeout: time.Minute, Retry: at})
		defer src.CloseNow(nil)
		p := <-server.peers
		for range 10 {
			time.Sleep(59 * time.Second)
			p.Sends(script.Text("alive"))
			wantMessage(t, src, "alive", 1)
		}
		start := time.Now()
		go func() { // ends with the silence
			for range 10 {
				time.Sleep(7*time.Second + time.Millisecond) // never when the source looks
				p.Sends(script.Ping(""))
			}
		}()
		gap := wantGap(t, src, 1, 0)
		if took := time.Since(start); took < time.Minute || took > 75*time.Second {
			t.Errorf("the silence was noticed after %v", took)
		}
		if text := gap.Status.Err.Error(); !strings.Contains(text, "no message for 1m0s") {
			t.Errorf("the connection ended with %q", text)
		}
		wantGap(t, src, 1, 2)
	})
	bubble(t, "nobody takes", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{DataTimeout: time.Minute, Retry: at})
		defer src.CloseNow(nil)
		p := <-server.peers
		resume := src.Pause()
		big := script.Text(strings.Repeat("x", 3<<20))
		p.Sends(script.Text("one"), big, script.Text("two"))
		time.Sleep(time.Hour)
		resume()
		wantMessage(t, src, "one", 1)
		wantMessage(t, src, string(big.Payload), 1)
		wantMessage(t, src, "two", 1)
	})
}
