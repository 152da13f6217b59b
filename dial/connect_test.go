package dial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

func ready(*stream.Conn) error { return nil }

func TestConnect(t *testing.T) {
	server := echoes(t, false)
	var got []string // without a lock: the race detector watches
	promise := Connect(t.Context(), server.URL, func(conn *stream.Conn) error {
		conn.OnText(func(text string) {
			got = append(got, text)
			conn.Close(result.StatusNormalClosure, "")
		})
		if err := conn.SendText(t.Context(), "hello"); err != nil {
			return err
		}
		got = append(got, "ready")
		return nil
	}, nil)
	status, err := promise.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the status", status.Code, 1000)
	want(t, "what happened", got, "[ready hello]")
}

func TestConnectRejectsArgumentsAtOnce(t *testing.T) {
	for name, promise := range map[string]*result.Promise{
		"URL":      Connect(t.Context(), "nonsense", ready, nil),
		"options":  Connect(t.Context(), "ws://example.com", ready, &Options{Host: "/"}),
		"context":  Connect(noContext, "ws://example.com", ready, &Options{HTTPClient: untouched(t)}),
		"callback": Connect(t.Context(), "ws://example.com", nil, &Options{HTTPClient: untouched(t)}),
	} {
		status, settled := promise.Status()
		if !settled || !errors.As(status.Err, new(*result.General)) || !errors.As(status.Err, new(*result.ArgumentError)) {
			t.Errorf("%s: the promise is %v, %v, want one rejected with a *result.General around a *result.ArgumentError", name, status.Err, settled)
		}
		want(t, name+": the code", status.Code, 1006)
	}
}

// Options.Proxy is asked on the way.
func TestConnectRejectsProxiesOnTheWay(t *testing.T) {
	asked := make(chan struct{})
	promise := Connect(t.Context(), "ws://a.test", ready, &Options{Proxy: func(*http.Request) (*url.URL, error) {
		<-asked
		return &url.URL{Scheme: "ftp", Host: "a.test"}, nil
	}})
	if status, settled := promise.Status(); settled {
		t.Errorf("the promise is %v already", status.Err)
	}
	close(asked)
	_, err := promise.Wait(t.Context())
	if !errors.As(err, new(*result.General)) || !errors.As(err, new(*result.ArgumentError)) {
		t.Errorf("the promise is rejected with %v, want a *result.General around a *result.ArgumentError", err)
	}
}

func TestConnectRejectsFailures(t *testing.T) {
	_, err := Connect(t.Context(), "ws://127.0.0.1:1", ready, nil).Wait(t.Context())
	if !errors.As(err, new(*result.ConnectionFailed)) || !errors.As(err, new(*net.OpError)) {
		t.Errorf("a dial to nobody ended with %v", err)
	}
	refusing := listen(t, answers(func(*http.Request) string { return "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" }))
	_, err = Connect(t.Context(), "ws://"+refusing, ready, nil).Wait(t.Context())
	var refused *HandshakeError
	if !errors.As(err, &refused) || refused.StatusCode != 403 {
		t.Errorf("a refused dial ended with %v", err)
	}
}

func TestConnectRejectsOtherCloses(t *testing.T) {
	addr := listen(t, answers(func(r *http.Request) string { return agree(r) + "\x88\x05\x0f\xa0bye" }))
	status, err := Connect(t.Context(), "ws://"+addr, ready, nil).Wait(t.Context())
	var closed *result.CloseError
	if !errors.As(err, &closed) || closed.Code != 4000 || closed.Reason != "bye" {
		t.Errorf("the promise is %v, %v", status, err)
	}
}

// closing is a server that greets, and tells the code of the Close that it
// gets.
func closing(t *testing.T) (url string, codes chan websocket.StatusCode) {
	codes = make(chan websocket.StatusCode, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.Write(context.Background(), websocket.MessageText, []byte("hello"))
		_, _, err = c.Read(context.Background())
		codes <- websocket.CloseStatus(err)
	}))
	t.Cleanup(s.Close)
	return s.URL, codes
}

func TestWhatOnReadyComesTo(t *testing.T) {
	mine := errors.New("mine")
	type odd struct{ n int }
	for name, tt := range map[string]struct {
		onReady func() error
		same    error // the promise is rejected with this very error
		value   any   // or with a *result.General that holds this
		says    string
	}{
		"error":          {onReady: func() error { return mine }, same: mine},
		"panic of error": {onReady: func() error { panic(mine) }, same: mine},
		"panic":          {onReady: func() error { panic(odd{7}) }, value: odd{7}, says: "panicked: {7}"},
		"panic of nil":   {onReady: func() error { panic(nil) }, says: "panic called with nil argument"},
		"Goexit":         {onReady: func() error { runtime.Goexit(); return nil }, says: "runtime.Goexit"},
	} {
		for _, where := range []string{"own goroutine", "loop"} {
			t.Run(name+" on "+where, func(t *testing.T) {
				url, codes := closing(t)
				opts := &Options{}
				if where == "loop" {
					opts.Post = func(f func()) { go f() }
				}
				status, err := Connect(t.Context(), url, func(*stream.Conn) error { return tt.onReady() }, opts).Wait(t.Context())
				want(t, "the code that the server got", int(<-codes), 1011)
				want(t, "the code that was sent", status.Sent, 1011)
				var general *result.General
				switch {
				case tt.same != nil && err != tt.same:
					t.Errorf("the promise is rejected with %v, want %v itself", err, tt.same)
				case tt.value != nil && (!errors.As(err, &general) || general.Value != tt.value):
					t.Errorf("the promise is rejected with %#v, want a *result.General with the value %v", err, tt.value)
				}
				wantContains(t, "the promise", err, tt.says)
			})
		}
	}
}

func TestContextCutsTheConnection(t *testing.T) {
	gone := make(chan struct{})
	addr := listen(t, func(c net.Conn, br *bufio.Reader) {
		req, _ := http.ReadRequest(br)
		io.WriteString(c, agree(req))
		io.Copy(io.Discard, br)
		close(gone)
	})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	promise := Connect(ctx, "ws://"+addr, func(*stream.Conn) error {
		cancel(cause)
		return nil
	}, nil)
	_, err := promise.Wait(t.Context())
	if !errors.As(err, new(*result.ConnectionFailed)) || !errors.Is(err, cause) {
		t.Errorf("the promise is rejected with %v, want a *result.ConnectionFailed around %v", err, cause)
	}
	<-gone
}

// A loop that stands still keeps neither the promise from being settled nor
// onReady from being forgotten.
func TestContextEndsWhileTheLoopStandsStill(t *testing.T) {
	agreed := make(chan struct{})
	addr := listen(t, answers(agree))
	var loop Loop
	ctx, cancel := context.WithCancel(t.Context())
	posted := func(f func()) {
		loop.Post(f)
		select {
		case <-agreed:
		default:
			close(agreed)
		}
	}
	promise := Connect(ctx, "ws://"+addr, func(*stream.Conn) error {
		t.Error("onReady was called after its context had ended")
		return nil
	}, &Options{Post: posted})
	<-agreed
	cancel()
	if _, err := promise.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("the promise is rejected with %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	loop.Post(end)
	loop.Run(ended)
}

// Everything that Connect calls runs in order and one at a time: messages that
// came with the answer, then the promise.
func TestCallbacksRunInOrder(t *testing.T) {
	const hasty = "\x81\x01a" + "\x82\x01b" + "\x81\x01c" + "\x88\x02\x03\xe8"
	addr := listen(t, answers(func(r *http.Request) string { return agree(r) + hasty }))
	var loop Loop
	for name, opts := range map[string]*Options{"own goroutine": nil, "loop": {Post: loop.Post}} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var got []string // without a lock: the race detector watches
			done := make(chan struct{})
			promise := Connect(t.Context(), "ws://"+addr, func(conn *stream.Conn) error {
				conn.OnText(func(text string) { got = append(got, text) })
				conn.OnBinary(func(data []byte) { got = append(got, string(data)) })
				conn.Result().Then(func(result.Status) { got = append(got, "result") }, nil)
				got = append(got, "ready")
				return nil
			}, opts)
			promise.Then(func(s result.Status) {
				got = append(got, fmt.Sprint(s.Code))
				promise.Then(func(result.Status) { got = append(got, "late"); stop(); close(done) }, nil)
			}, func(err error) { t.Error(err); stop(); close(done) })
			if opts != nil {
				loop.Run(ctx)
			}
			<-done
			want(t, "what happened", got, "[ready a b c result 1000 late]")
		})
	}
}

func TestContinuationsOfAFailureRunOnTheLoop(t *testing.T) {
	var loop Loop
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ran := 0 // without a lock: the race detector watches
	for _, url := range []string{"ws://127.0.0.1:1", "nonsense"} {
		Connect(t.Context(), url, ready, &Options{Post: loop.Post}).Then(nil, func(error) {
			if ran++; ran == 2 {
				stop()
			}
		})
	}
	loop.Run(ctx)
	want(t, "continuations that ran", ran, 2)
}

// OnReady may stay as long as the connection.
func TestOnReadyMayTakeMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			return pipeTo(t, answers(func(r *http.Request) string { return agree(r) + frames })), nil
		}
		var got []string
		promise := Connect(t.Context(), "ws://a.test", func(conn *stream.Conn) error {
			for m, err := range conn.All(t.Context()) {
				if err != nil {
					return err
				}
				got = append(got, string(m.Data))
			}
			return nil
		}, &Options{DialContext: dial, Operators: none})
		if _, err := promise.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		want(t, "the messages", got, "[hi]")
	})
}

// The streams of a connection end with what onReady came to, also where the peer
// answers with the same code.
func TestOnReadysErrorEndsTheStreams(t *testing.T) {
	url, _ := closing(t)
	mine, ended := errors.New("mine"), make(chan error, 1)
	Connect(t.Context(), url, func(conn *stream.Conn) error {
		messages := conn.Chan(t.Context(), nil)
		go func() {
			for range messages.C {
			}
			ended <- messages.Err()
		}()
		return mine
	}, nil)
	if err := <-ended; err != mine {
		t.Errorf("the stream ended with %v, want %v itself", err, mine)
	}
}

// floods is a server that sends so many messages of 60,000 bytes, and closes.
func floods(t *testing.T, n int) *Options {
	messages := strings.Repeat("\x82\x7e\xea\x60"+strings.Repeat("x", 60000), n)
	return &Options{Operators: none, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return pipeTo(t, answers(func(r *http.Request) string { return agree(r) + messages + "\x88\x02\x03\xe8" })), nil
	}}
}

// A client that only sends lives and ends as it should, whatever the server sends,
// and a warning tells how many messages nobody took.
func TestNobodyTakes(t *testing.T) {
	for name, n := range map[string]int{"a few": 6, "more than the look-ahead holds": 50} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.WarnLevel)
				opts := floods(t, n)
				opts.Logger = zap.New(core)
				_, err := Connect(t.Context(), "ws://a.test", func(conn *stream.Conn) error {
					return conn.SendText(t.Context(), "hello")
				}, opts).Wait(t.Context())
				if err != nil {
					t.Error(err)
				}
				if logs.FilterField(zap.Uint64("messages", uint64(n))).Len() != 1 {
					t.Errorf("the log says %v", logs.All())
				}
			})
		})
	}
}

// Before onReady has returned nothing is discarded, however long it takes.
func TestNothingIsDiscardedWhileOnReadyRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		_, err := Connect(t.Context(), "ws://a.test", func(conn *stream.Conn) error {
			time.Sleep(time.Minute) // of the bubble's: the look-ahead is spent by then
			for _, err := range conn.All(t.Context()) {
				if err != nil {
					return err
				}
				n++
			}
			return nil
		}, floods(t, 50)).Wait(t.Context())
		if err != nil {
			t.Error(err)
		}
		want(t, "the number of messages", n, 50)
	})
}
