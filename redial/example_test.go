package redial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// mortal starts a server whose first connection dies behind a message. The second one
// is closed in good order.
func mortal() *httptest.Server {
	conns := 0
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if conns++; conns == 1 {
			c.Write(r.Context(), websocket.MessageText, []byte("one"))
			return
		}
		c.Write(r.Context(), websocket.MessageText, []byte("two"))
		c.Close(websocket.StatusNormalClosure, "that is all")
	}))
}

// A loop that outlives its connections.
func Example() {
	server := mortal()
	defer server.Close()
	follow := func(ctx context.Context, url string) error {
		src := dial.Redial(ctx, url, nil, nil)
		for message, err := range src.All(ctx) {
			if err != nil {
				return err // the source has given up, or ctx has ended
			}
			if gap := message.Gap(); gap != nil {
				fmt.Println("from connection", gap.From, "to", gap.To)
				continue
			}
			fmt.Println(message)
		}
		return nil // the server has no more to say
	}
	fmt.Println(follow(context.Background(), server.URL))
	// Output:
	// one
	// from connection 1 to 0
	// from connection 1 to 2
	// two
	// <nil>
}

// A source over anything that dials, here over pipes. The server numbers its messages
// and forgets its client after two of them; the client resumes where it has come to.
func ExampleNew() {
	ctx := context.Background()
	dials := func(context.Context) (*stream.Conn, error) {
		near, far := net.Pipe()
		go serveTwo(far)
		return stream.New(near, stream.Client, nil)
	}

	last := 0
	src := redial.New(ctx, dials, &redial.Options{
		Seen: func(m stream.Message) { fmt.Sscan(m.String(), &last) },
		Open: func(ctx context.Context, conn *stream.Conn, gap *stream.Gap) (continued bool, err error) {
			return true, conn.SendText(ctx, fmt.Sprint(last))
		},
		Retry: redial.Backoff(time.Millisecond, time.Second),
	})
	for m, err := range src.All(ctx) {
		switch gap := m.Gap(); {
		case err != nil:
			fmt.Println(err)
		case gap == nil:
			fmt.Println(m)
		case gap.To > 0:
			fmt.Println("connection", gap.To, "goes on where", gap.From, "ended:", gap.Continued)
		}
	}
	status, _ := src.Result().Status()
	fmt.Println("end:", status)
	// Output:
	// 1
	// 2
	// connection 2 goes on where 1 ended: true
	// 3
	// 4
	// connection 3 goes on where 2 ended: true
	// 5
	// end: 1000 "done"
}

// serveTwo sends two numbers behind the one that it gets, but none above 5.
func serveTwo(far net.Conn) {
	ctx := context.Background()
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		return
	}
	from, err := server.Receive(ctx)
	if err != nil {
		return
	}
	n := 0
	fmt.Sscan(from.String(), &n)
	for range 2 {
		if n++; n > 5 {
			server.Shutdown(ctx, result.StatusNormalClosure, "done")
			return
		}
		server.SendText(ctx, fmt.Sprint(n))
	}
	server.Flush(ctx)
	server.CloseNow(nil)
}

// What a Retry may say about close codes that servers give a meaning of their own.
func ExampleOptions_retry() {
	backoff := redial.Backoff(0, 0)
	errRestart := errors.New("the server restarts")

	// A server that closes with 1000 to restart.
	restarts := func(n int, err error) (time.Duration, bool) {
		if err == nil {
			err = errRestart
		}
		return backoff(n, err)
	}

	// Centrifugo: codes from 3500 to 3999 and from 4500 to 4999 are final.
	// https://centrifugal.dev/docs/server/codes
	centrifugo := func(n int, err error) (time.Duration, bool) {
		var closed *result.CloseError
		if errors.As(err, &closed) && closed.Code >= 3500 && closed.Code%1000 >= 500 {
			return 0, false
		}
		return backoff(n, err)
	}

	// Pusher: 4000 to 4099 are final, 4200 to 4299 want to be dialed at once.
	// https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol
	pusher := func(n int, err error) (time.Duration, bool) {
		var closed *result.CloseError
		if errors.As(err, &closed) && closed.Code/100 == 40 {
			return 0, false
		}
		wait, again := backoff(n, err)
		if closed != nil && closed.Code/100 == 42 && n == 1 {
			wait = 0
		}
		return wait, again
	}

	_, again := restarts(1, nil)
	fmt.Println("1000, which is a restart:", again)
	for _, code := range []result.StatusCode{3001, 3501, 4501} {
		_, again := centrifugo(1, &result.CloseError{Code: code})
		fmt.Println("Centrifugo", code, again)
	}
	for _, code := range []result.StatusCode{4004, 4100, 4200} {
		wait, again := pusher(1, &result.CloseError{Code: code})
		fmt.Println("Pusher", code, again, code == 4200 && wait == 0)
	}
	// Output:
	// 1000, which is a restart: true
	// Centrifugo 3001 true
	// Centrifugo 3501 false
	// Centrifugo 4501 false
	// Pusher 4004 false false
	// Pusher 4100 true false
	// Pusher 4200 true true
}

// A ticks is a limiter that allows one dial a tick, to all sources that share it.
type ticks <-chan time.Time

func (t ticks) Wait(ctx context.Context) error {
	select {
	case <-t:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Sources that share a limiter ask their server for no more than a hundred connections
// a second.
func ExampleOptions_limiter() {
	server := mortal()
	defer server.Close()
	ctx := context.Background()

	shared := &redial.Options{
		Limiter: ticks(time.Tick(10 * time.Millisecond)),
		Retry:   redial.Backoff(time.Second, time.Minute),
	}
	var sources []*redial.Source
	for range 3 {
		sources = append(sources, dial.Redial(ctx, server.URL, nil, shared))
	}
	for _, src := range sources {
		src.Shutdown(ctx, result.StatusNormalClosure, "")
	}
	fmt.Println(len(sources), "sources")
	// Output: 3 sources
}

// A sink that keeps what it could not send for the next connection.
func ExampleSource_Sink() {
	got := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if _, data, err := c.Read(r.Context()); err == nil { // one message, then it dies
			got <- string(data)
		}
	}))
	defer server.Close()
	ctx := context.Background()

	src := dial.Redial(ctx, server.URL, nil, &redial.Options{
		Carry: true,
		Retry: redial.Backoff(time.Millisecond, time.Second),
	})
	defer src.CloseNow(nil)
	sink := src.Sink(ctx, &stream.SinkOptions{
		Unsent: func(m stream.Message, why error) { fmt.Println("never sent:", m, why) },
	})
	defer close(sink)

	for i, text := range []string{"one", "two"} {
		sink <- stream.Message{Type: stream.Text, Data: []byte(text)}
		fmt.Println(<-got)
		for m := range src.All(ctx) { // take messages, or the next connection is never made
			if gap := m.Gap(); i > 0 || gap != nil && gap.To > 0 {
				break
			}
		}
	}
	// Output:
	// one
	// two
}
