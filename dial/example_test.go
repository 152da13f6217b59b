package dial_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// echo starts a server that sends every message back.
func echo() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(context.Background())
			if err != nil || c.Write(context.Background(), kind, data) != nil {
				return
			}
		}
	}))
}

// feed prints what a server streams to those who subscribe.
func feed(ctx context.Context, url string) error {
	conn, err := dial.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	if err := conn.SendText(ctx, "subscribe"); err != nil {
		return err
	}
	for message, err := range conn.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(message)
	}
	return nil // the server has closed with 1000
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		c.Read(context.Background())
		c.Write(context.Background(), websocket.MessageText, []byte("news"))
		c.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()
	fmt.Println(feed(context.Background(), server.URL))
	// Output:
	// news
	// <nil>
}

func ExampleDial() {
	server := echo()
	defer server.Close()
	ctx := context.Background()

	conn, err := dial.Dial(ctx, server.URL, &dial.Options{Subprotocols: []string{"echo"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("subprotocol:", conn.Subprotocol())
	conn.SendText(ctx, "hello")
	for m, err := range conn.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("message:", string(m.Data))
		conn.Close(result.StatusNormalClosure, "done")
	}
	status, err := conn.Result().Wait(ctx)
	fmt.Println("end:", status, err)
	// Output:
	// subprotocol: echo
	// message: hello
	// end: 1000 "done" <nil>
}

// What the server answered to the handshake is on the connection.
func ExampleDial_header() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Session", "42")
		if c, err := websocket.Accept(w, r, nil); err == nil {
			c.Close(websocket.StatusNormalClosure, "")
		}
	}))
	defer server.Close()
	ctx := context.Background()

	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, secure := conn.TLS()
	fmt.Println("session:", conn.Header().Get("X-Session"))
	fmt.Println("the server's address:", conn.RemoteAddr().String() == server.Listener.Addr().String())
	fmt.Println("TLS:", secure)
	conn.Discard()
	conn.Result().Wait(ctx)
	// Output:
	// session: 42
	// the server's address: true
	// TLS: false
}

// Another interval for the heartbeat; compression stays.
func ExampleDefaultOperators() {
	server := echo()
	defer server.Close()
	ctx := context.Background()

	conn, err := dial.Dial(ctx, server.URL, &dial.Options{
		Operators: dial.DefaultOperators(heartbeat.New(&heartbeat.Options{Interval: 10 * time.Second})),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.CloseNow(nil)
	_, watched := heartbeat.Of(conn)
	fmt.Println("heartbeat:", watched)
	fmt.Println("operators:", len(dial.DefaultOperators()))
	// Output:
	// heartbeat: true
	// operators: 2
}

func ExampleDial_badArgument() {
	_, err := dial.Dial(context.Background(), "ws://example.com", &dial.Options{Subprotocols: []string{"two words"}})
	fmt.Println(err)
	// Output:
	// dial.Options.Subprotocols[0] is "two words": allowed is an RFC 9110 token: letters, digits and !#$%&'*+-.^_`|~
}

func ExampleConnect() {
	server := echo()
	defer server.Close()
	ctx := context.Background()

	promise := dial.Connect(ctx, server.URL, func(conn *stream.Conn) error {
		conn.OnText(func(text string) {
			fmt.Println("message:", text)
			conn.Close(result.StatusNormalClosure, "done")
		})
		return conn.SendText(ctx, "hello")
	}, nil)
	status, err := promise.Wait(ctx)
	fmt.Println("end:", status, err)
	// Output:
	// message: hello
	// end: 1000 "done" <nil>
}

// Three connections and a timer share variables without a lock, as all that
// touches them runs on one loop.
func ExampleLoop() {
	server := echo()
	defer server.Close()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()

	var loop dial.Loop
	sum, open, ticks := 0, 3, 0
	step := func() {
		if open == 0 && ticks == 1 {
			stop()
		}
	}
	time.AfterFunc(time.Millisecond, func() {
		loop.Post(func() {
			ticks++
			step()
		})
	})
	for i := range open {
		dial.Connect(ctx, server.URL, func(conn *stream.Conn) error {
			conn.OnText(func(text string) {
				sum += len(text)
				conn.Close(result.StatusNormalClosure, "")
			})
			return conn.SendText(ctx, "12345"[:i+1])
		}, &dial.Options{Post: loop.Post}).Then(func(result.Status) {
			open--
			step()
		}, func(err error) { fmt.Println(err) })
	}
	loop.Run(ctx)
	fmt.Println("bytes:", sum, "open:", open, "ticks:", ticks)
	// Output:
	// bytes: 6 open: 0 ticks: 1
}

func ExampleObservable() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		for _, text := range []string{"1", "2", "3"} {
			c.Write(context.Background(), websocket.MessageText, []byte(text))
		}
		c.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()

	cold := dial.Observable(server.URL, nil, nil).Map(func(_ context.Context, item any) (any, error) {
		return string(item.(stream.Message).Data), nil
	})
	for range 2 { // dials twice
		for item := range cold.Observe() {
			fmt.Println(item.V, item.E)
		}
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}

// A server that restarts closes with an error code. The observer dials again,
// after a pause.
func ExampleObservable_retry() {
	var visits atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		n := visits.Add(1)
		c.Write(context.Background(), websocket.MessageText, fmt.Append(nil, "visit ", n))
		if n < 3 {
			c.Close(websocket.StatusServiceRestart, "")
		} else {
			c.Close(websocket.StatusNormalClosure, "")
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const attempts, wait = 10, time.Millisecond

	cold := dial.Observable(server.URL, nil, nil)
	pause := func(error) bool {
		select {
		case <-time.After(wait):
			return true // dial again
		case <-ctx.Done():
			return false
		}
	}
	items := cold.Retry(attempts, pause, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
	for item := range items {
		fmt.Println(item.V, item.E)
	}
	// Output:
	// visit 1 <nil>
	// visit 2 <nil>
	// visit 3 <nil>
}

// A source that dials again when its connection is lost.
func ExampleRedial() {
	var conns atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow() // the first connection ends without a word
		n := conns.Add(1)
		c.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, "connection %d", n))
		if n == 2 {
			c.Close(websocket.StatusNormalClosure, "that is all")
		}
	}))
	defer server.Close()
	ctx := context.Background()

	src := dial.Redial(ctx, server.URL, nil, &redial.Options{
		Retry: redial.Backoff(10*time.Millisecond, time.Second),
	})
	for m, err := range src.All(ctx) {
		switch gap := m.Gap(); {
		case err != nil:
			fmt.Println(err)
		case gap == nil:
			fmt.Println(m)
		case gap.To == 0:
			fmt.Println("lost")
		}
	}
	fmt.Println(src.Result().Wait(ctx))
	// Output:
	// connection 1
	// lost
	// connection 2
	// 1000 "that is all" <nil>
}
