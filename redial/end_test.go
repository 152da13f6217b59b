package redial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A place is where a source stands when the program ends it.
type place struct {
	name string
	// source returns a source that stands there. What it does to end is waited for by
	// the bubble.
	source func(t *testing.T, ctx context.Context) *redial.Source
}

var places = []place{
	{"waiting for the limiter", func(t *testing.T, ctx context.Context) *redial.Source {
		return redial.New(ctx, newServer(t).dial, &redial.Options{Limiter: never{}})
	}},
	{"dialing", func(t *testing.T, ctx context.Context) *redial.Source {
		return redial.New(ctx, func(ctx context.Context) (*stream.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, nil)
	}},
	{"a dial that does not hear", func(t *testing.T, ctx context.Context) *redial.Source {
		server := newServer(t)
		return redial.New(ctx, func(ctx context.Context) (*stream.Conn, error) {
			time.Sleep(time.Hour)
			return server.dial(ctx)
		}, nil)
	}},
	{"Open", func(t *testing.T, ctx context.Context) *redial.Source {
		return redial.New(ctx, newServer(t).dial, &redial.Options{Open: func(ctx context.Context, conn *stream.Conn, _ *stream.Gap) (bool, error) {
			_, err := conn.Receive(ctx)
			return false, err
		}})
	}},
	{"an Open that does not hear", func(t *testing.T, ctx context.Context) *redial.Source {
		return redial.New(ctx, newServer(t).dial, &redial.Options{Open: func(context.Context, *stream.Conn, *stream.Gap) (bool, error) {
			time.Sleep(time.Hour)
			return true, nil
		}})
	}},
	{"waiting for the first dial", func(t *testing.T, ctx context.Context) *redial.Source {
		server := newServer(t)
		server.fails(errNobody)
		return redial.New(ctx, server.dial, &redial.Options{Retry: hourly})
	}},
	{"waiting in a gap", func(t *testing.T, ctx context.Context) *redial.Source {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: hourly})
		p := <-server.peers
		p.Cuts()
		wantGap(t, src, 1, 0)
		return src
	}},
}

// never is a limiter that lets nothing pass.
type never struct{}

func (never) Wait(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// hourly waits an hour between two dials.
func hourly(int, error) (time.Duration, bool) { return time.Hour, true }

// Close, CloseNow and the end of the context end whatever is under way at once, and
// leave nothing.
func TestEndsAtOnce(t *testing.T) {
	errMine := errors.New("mine")
	for _, p := range places {
		for name, end := range map[string]struct {
			do   func(*redial.Source, context.CancelCauseFunc)
			want result.Status
		}{
			"Close":    {func(s *redial.Source, _ context.CancelCauseFunc) { s.Close(4000, "bye") }, result.Status{Code: 4000, Reason: "bye"}},
			"CloseNow": {func(s *redial.Source, _ context.CancelCauseFunc) { s.CloseNow(errMine) }, result.Status{Code: 1006}},
			"context":  {func(_ *redial.Source, cancel context.CancelCauseFunc) { cancel(errMine) }, result.Status{Code: 1006}},
		} {
			bubble(t, p.name+", "+name, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				src := p.source(t, ctx)
				synctest.Wait()
				start := time.Now()
				end.do(src, cancel)
				st, err := ends(t, src)
				want(t, "the time it took", time.Since(start), 0)
				want(t, "the error", err, st.Err)
				if failed := (&result.ConnectionFailed{}); end.want.Code == 1006 && (!errors.As(err, &failed) || failed.Err != errMine) {
					t.Errorf("it ended with %v", err)
				}
				st.Err = nil
				want(t, "the status", st, end.want)
				want(t, "a second Close", errors.Is(src.Close(1000, ""), net.ErrClosed), true)
				want(t, "Send's error", errors.Is(src.SendText(t.Context(), ""), net.ErrClosed), true)
				_, err = src.Ready(t.Context())
				want(t, "Ready's error", errors.Is(err, net.ErrClosed), true)
				time.Sleep(2 * time.Hour) // what does not hear ends now
			})
		}
	}
}

// A connection that a dial returns when the source has ended is cut.
func TestLateDial(t *testing.T) {
	bubble(t, "late", func(t *testing.T) {
		server := newServer(t)
		conns := make(chan *stream.Conn, 1)
		src := redial.New(ctx, func(ctx context.Context) (*stream.Conn, error) {
			time.Sleep(time.Hour)
			conn, err := server.dial(ctx)
			conns <- conn
			return conn, err
		}, nil)
		synctest.Wait()
		src.CloseNow(nil)
		conn := <-conns
		synctest.Wait()
		if !errors.Is(conn.Shutdown(ctx, 1000, ""), net.ErrClosed) {
			t.Error("the connection is open")
		}
	})
}

// An open connection is closed as one closes a connection, and the source has its end.
func TestCloseOpen(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(*script.Peer)
		want   string
	}{
		"answered": {func(p *script.Peer) { p.Sends(script.Text("last"), script.Close(4000, "bye")) }, `4000 "bye" <nil>`},
		"refused":  {func(p *script.Peer) { p.Sends(script.Text("last"), script.Close(4001, "no")) }, `4001 "no" wsflow: closed with code 4001, reason "no"`},
		"cut":      {func(p *script.Peer) { p.Sends(script.Text("last")); p.Cuts() }, `1006 "" wsflow: connection failed: the peer ended the connection without a Close frame: EOF`},
		"never":    {func(p *script.Peer) { p.Sends(script.Text("last")) }, `1006 "" wsflow: connection failed: no Close frame from the peer within 5s`},
	} {
		bubble(t, name, func(t *testing.T) {
			server := newServer(t)
			src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
			p := <-server.peers
			if err := src.SendText(ctx, "hello"); err != nil {
				t.Fatal(err)
			}
			want(t, "Close", src.Close(4000, "goodbye"), nil)
			p.Wants("what was sent before", script.Text("hello"))
			p.WantsClose(4000)
			want(t, "Send's error", errors.Is(src.SendText(ctx, ""), net.ErrClosed), true)
			want(t, "a second Close", errors.Is(src.Close(4000, ""), net.ErrClosed), true)
			test.answer(p)
			wantMessage(t, src, "last", 1)
			st, err := ends(t, src)
			want(t, "the end", fmt.Sprint(st, err), test.want)
			want(t, "dials", server.dials.Load(), 1)
		})
	}
}

// A loop that is left and a Shutdown: what nobody took does not hold up the end.
func TestShutdown(t *testing.T) {
	bubble(t, "in good order", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, nil)
		p := <-server.peers
		p.Sends(script.Text("one"), script.Text("two"), script.Text("three"))
		wantMessage(t, src, "one", 1)
		go p.Sends(script.Close(1000, "bye"))
		want(t, "Shutdown", src.Shutdown(ctx, 1000, ""), nil)
		wantMessage(t, src, "two", 1)
		wantMessage(t, src, "three", 1)
		for _, err := range src.All(ctx) {
			t.Errorf("more came: %v", err)
		}
	})
	bubble(t, "in time", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, nil)
		p := <-server.peers
		p.StopsReading()
		synctest.Wait() // the connection is open
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		start := time.Now()
		want(t, "Shutdown", src.Shutdown(ctx, 1000, ""), context.DeadlineExceeded)
		want(t, "the time it took", time.Since(start), time.Second)
		if _, err := ends(t, src); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
	})
}

// The body of a loop may close its source and wait for the end: it gets what came
// before that, and then the loop ends.
func TestShutdownInLoop(t *testing.T) {
	bubble(t, "loop", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		p := <-server.peers
		p.Sends(script.Text("one"), script.Text("two"))
		go func() { // ends with the Close
			p.Next("the Close")
			p.Sends(script.Text("three"), script.Close(1000, "bye"))
		}()
		var got []string
		for m, err := range src.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, m.String()); len(got) == 1 {
				want(t, "Shutdown", src.Shutdown(ctx, 1000, ""), nil)
			}
		}
		want(t, "what came", strings.Join(got, " "), "one two three")
		want(t, "dials", server.dials.Load(), 1)
	})
}

// CloseNow, and the end of the context, cut an open connection.
func TestCloseNowOpen(t *testing.T) {
	errMine := errors.New("mine")
	for name, end := range map[string]func(*redial.Source, context.CancelCauseFunc){
		"CloseNow":             func(s *redial.Source, _ context.CancelCauseFunc) { s.CloseNow(errMine) },
		"context":              func(_ *redial.Source, cancel context.CancelCauseFunc) { cancel(errMine) },
		"CloseNow after Close": func(s *redial.Source, _ context.CancelCauseFunc) { s.Close(1000, ""); s.CloseNow(errMine) },
	} {
		bubble(t, name, func(t *testing.T) {
			server := newServer(t)
			ctx, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
			p := <-server.peers
			p.Sends(script.Text("one"), script.Text("two"))
			p.StopsReading()
			wantMessage(t, src, "one", 1)
			end(src, cancel)
			st, err := ends(t, src)
			if failed := (&result.ConnectionFailed{}); !errors.As(err, &failed) || failed.Err != errMine || st.Code != 1006 {
				t.Errorf("it ended with %+v", st)
			}
			for m, err := range src.All(t.Context()) {
				if !errors.Is(err, errMine) {
					t.Errorf("the stream goes on with %q, %v", m, err)
				}
			}
		})
	}
}

// A connection that the program closes by itself is lost like any other.
func TestOwnConnectionClosed(t *testing.T) {
	for name, end := range map[string]func(*stream.Conn){
		"Close":    func(c *stream.Conn) { c.Close(1000, "") },
		"CloseNow": func(c *stream.Conn) { c.CloseNow(nil) },
	} {
		bubble(t, name, func(t *testing.T) {
			server := newServer(t)
			src := redial.New(ctx, server.dial, nil)
			defer src.CloseNow(nil)
			conn, err := src.Ready(ctx)
			if err != nil || conn != src.Conn() {
				t.Fatalf("Ready returns %v, %v, and Conn %v", conn, err, src.Conn())
			}
			p := <-server.peers
			end(conn)
			if name == "Close" {
				p.WantsClose(1000)
				p.Sends(script.Close(1000, ""))
			}
			wantGap(t, src, 1, 0)
			wantGap(t, src, 1, 2)
			again, err := src.Ready(ctx)
			if err != nil || again == conn {
				t.Errorf("Ready returns %v, %v", again, err)
			}
		})
	}
}

// A Close while the messages of a lost connection are still being taken: they are, and
// then the source ends with success.
func TestCloseWhileLost(t *testing.T) {
	bubble(t, "backlog", func(t *testing.T) {
		server := newServer(t)
		src := redial.New(ctx, server.dial, &redial.Options{Retry: at})
		p := <-server.peers
		p.Sends(script.Text("one"), script.Text("two"), script.Text("three"))
		p.Cuts()
		var got []string
		for m, err := range src.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, m.String()); len(got) == 1 {
				time.Sleep(time.Minute) // the cut has been seen ahead
				want(t, "Close", src.Close(1000, "enough"), nil)
			}
		}
		want(t, "what came", strings.Join(got, " "), "one two three")
		st, err := ends(t, src)
		want(t, "the end", fmt.Sprint(st, err), `1000 "enough" <nil>`)
		want(t, "dials", server.dials.Load(), 1)
	})
}

// Sources that end at any moment leave no goroutine.
func TestEndsAnytime(t *testing.T) {
	for i := range 200 {
		bubble(t, fmt.Sprint(i), func(t *testing.T) {
			server := newServer(t)
			dial := func(ctx context.Context) (*stream.Conn, error) {
				conn, err := server.dial(ctx)
				if p := <-server.peers; server.dials.Load() < 3 {
					time.AfterFunc(30*time.Millisecond, p.Cuts)
				}
				return conn, err
			}
			src := redial.New(ctx, dial, &redial.Options{Retry: at, DataTimeout: time.Second})
			go func() { // ends with the source
				for range src.All(ctx) {
				}
			}()
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			if i%2 == 0 {
				src.Close(1000, "")
			} else {
				src.CloseNow(nil)
			}
			ends(t, src)
			synctest.Wait() // a dial under way has returned
		})
	}
}
