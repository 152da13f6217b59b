package dial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// connected are options for a connection in memory, in which the server says
// text behind its answer, after behind is closed, and then listens.
func connected(t *testing.T, loop *Loop, behind chan struct{}, text string) *Options {
	return &Options{Operators: none, Post: loop.Post, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return pipeTo(t, func(c net.Conn, br *bufio.Reader) {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			io.WriteString(c, agree(r))
			<-behind
			io.WriteString(c, text)
			io.Copy(io.Discard, br)
		}), nil
	}}
}

// run runs the loop until everything that can happen has happened.
func run(t *testing.T, loop *Loop) (left int) {
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		left = loop.Run(ctx)
		close(done)
	}()
	synctest.Wait()
	stop()
	<-done
	return left
}

const helloAndClose = "\x81\x05hello" + "\x88\x02\x03\xe8"

// When the loop no longer runs, the end of the connection settles the promise.
// Its continuations, and the callbacks before them, run when the loop does.
func TestPromiseIsSettledWhileTheLoopStandsStill(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(conn *stream.Conn, behind chan struct{})
		ran  string // what the loop runs at last
		fits func(result.Status) bool
	}{
		"the peer closes": {
			func(_ *stream.Conn, behind chan struct{}) { close(behind) }, "[hello then]",
			func(s result.Status) bool { return s.Err == nil && s.Code == 1000 },
		},
		"CloseNow": {
			func(conn *stream.Conn, _ chan struct{}) { conn.CloseNow(io.ErrNoProgress) }, "[then]",
			func(s result.Status) bool { return errors.Is(s.Err, io.ErrNoProgress) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var loop Loop
				var conn *stream.Conn
				var got []string
				behind := make(chan struct{})
				promise := Connect(t.Context(), "ws://a.test", func(c *stream.Conn) error {
					conn = c
					c.OnText(func(text string) { got = append(got, text) })
					return nil
				}, connected(t, &loop, behind, helloAndClose))
				run(t, &loop)
				then := func() { got = append(got, "then") }
				promise.Then(func(result.Status) { then() }, func(error) { then() })
				tt.end(conn, behind)
				<-conn.Done()
				status, err := promise.Wait(t.Context())
				if again, ok := promise.Status(); !ok || again != status || status.Err != err || !tt.fits(status) {
					t.Errorf("Wait returns %+v, %v; then the status is %v, %v", status, err, again, ok)
				}
				want(t, "what ran while the loop stood still", got, "[]")
				run(t, &loop)
				want(t, "what ran", got, tt.ran)
				if name == "CloseNow" {
					close(behind)
				}
			})
		})
	}
}

// A connection that ends before the loop has begun onReady settles the promise
// as well. OnReady still gets the messages that came, and all runs in order.
func TestConnectionEndsBeforeTheLoopBeginsOnReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var loop Loop
		var got []string
		behind := make(chan struct{})
		promise := Connect(t.Context(), "ws://a.test", func(conn *stream.Conn) error {
			got = append(got, "ready")
			conn.OnText(func(text string) { got = append(got, text) })
			return errors.New("too late")
		}, connected(t, &loop, behind, helloAndClose))
		promise.Then(func(result.Status) { got = append(got, "then") }, func(err error) { t.Error(err) })
		close(behind)
		status, err := promise.Wait(t.Context())
		if err != nil || status.Code != 1000 {
			t.Errorf("the promise is %v, %v", status, err)
		}
		synctest.Wait() // continuations are posted by now
		want(t, "what is left", run(t, &loop), 0)
		want(t, "what ran", got, "[ready hello then]")
	})
}

// After the promise is settled its context still frees what waits for the loop.
func TestContextEndsACallbackThatWaitsForTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // nothing may be left when the bubble ends
		var loop Loop
		behind := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		promise := Connect(ctx, "ws://a.test", func(conn *stream.Conn) error {
			conn.OnText(func(string) { t.Error("a callback ran after its connection was cut") })
			return nil
		}, connected(t, &loop, behind, helloAndClose))
		run(t, &loop)
		close(behind)
		if _, err := promise.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		run(t, &loop)
	})
}
