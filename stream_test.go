// Package wsflow_test tests the module as its users meet it: from a URL to the
// terminal event, against a server that is not ours.
package wsflow_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// serve starts a server that hands each connection to f, with compression.
func serve(t *testing.T, f func(ctx context.Context, c *websocket.Conn)) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		f(context.WithoutCancel(r.Context()), c)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func dialed(t *testing.T, url string, o *dial.Options) *stream.Conn {
	t.Helper()
	c, err := dial.Dial(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil) })
	return c
}

// letters are messages of very different sizes.
func letters() []stream.Message {
	var list []stream.Message
	for i, size := range []int{0, 1, 30, 125, 126, 4000, 65535, 65536, 300_000, 2} {
		m := stream.Message{Type: stream.Text, Data: bytes.Repeat([]byte{'a' + byte(i)}, size)}
		if i%2 == 1 {
			m.Type = stream.Binary
		}
		list = append(list, m)
	}
	return list
}

// replay sends the letters and closes.
func replay(code websocket.StatusCode, reason string) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, c *websocket.Conn) {
		for _, m := range letters() {
			if c.Write(ctx, websocket.MessageType(m.Type), m.Data) != nil {
				return
			}
		}
		c.Close(code, reason)
	}
}

// takers are the ways of taking messages: each returns all that came, copied,
// and the error that ended the stream.
var takers = map[string]func(ctx context.Context, c *stream.Conn) ([]stream.Message, error){
	"All": func(ctx context.Context, c *stream.Conn) (got []stream.Message, err error) {
		for m, err := range c.All(ctx) {
			if err != nil {
				return got, err
			}
			got = append(got, m.Clone())
		}
		return got, nil
	},
	"Chan": func(ctx context.Context, c *stream.Conn) (got []stream.Message, err error) {
		s := c.Chan(ctx, nil)
		for m := range s.C {
			got = append(got, m)
		}
		return got, s.Err()
	},
	"Batches": func(ctx context.Context, c *stream.Conn) (got []stream.Message, err error) {
		s := c.Batches(ctx, nil)
		for batch := range s.C {
			got = append(got, batch...)
		}
		return got, s.Err()
	},
	"Observable": func(ctx context.Context, c *stream.Conn) (got []stream.Message, err error) {
		for item := range c.Observable(nil).Observe(rxgo.WithContext(ctx)) {
			if item.Error() {
				return got, item.E
			}
			got = append(got, item.V.(stream.Message))
		}
		return got, nil
	},
	"ObservableBatches": func(ctx context.Context, c *stream.Conn) (got []stream.Message, err error) {
		for item := range c.ObservableBatches(nil).Observe(rxgo.WithContext(ctx)) {
			if item.Error() {
				return got, item.E
			}
			got = append(got, item.V.([]stream.Message)...)
		}
		return got, nil
	},
	"callbacks": func(ctx context.Context, c *stream.Conn) (got []stream.Message, err error) {
		c.OnText(func(text string) { got = append(got, stream.Message{Type: stream.Text, Data: []byte(text)}) })
		c.OnBinary(func(data []byte) { got = append(got, stream.Message{Type: stream.Binary, Data: data}) })
		ended := make(chan error, 1)
		c.Result().Then(func(result.Status) { ended <- nil }, func(err error) { ended <- err })
		return got, <-ended
	},
}

// However messages are taken, all of them come, and then the same end.
func TestWaysToTake(t *testing.T) {
	refused := &result.CloseError{Code: 4001, Reason: "enough"}
	for name, take := range takers {
		t.Run(name+", success", func(t *testing.T) {
			c := dialed(t, serve(t, replay(1000, "done")), nil)
			got, err := take(t.Context(), c)
			same(t, got, letters())
			status, _ := c.Result().Status()
			if err != nil || status != (result.Status{Code: 1000, Reason: "done", ByPeer: true, Sent: 1000, Received: 1000}) {
				t.Errorf("ended with %v, %+v", err, status)
			}
		})
		t.Run(name+", refusal", func(t *testing.T) {
			c := dialed(t, serve(t, replay(websocket.StatusCode(refused.Code), refused.Reason)), nil)
			got, err := take(t.Context(), c)
			same(t, got, letters())
			var closed *result.CloseError
			if !errors.As(err, &closed) || *closed != *refused {
				t.Errorf("ended with %v, want %v", err, refused)
			}
		})
	}
}

func same(t *testing.T, got, want []stream.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages came, want %d", len(got), len(want))
	}
	for i, m := range got {
		if m.Type != want[i].Type || !bytes.Equal(m.Data, want[i].Data) {
			t.Errorf("message %d is %v of %d bytes, want %v of %d", i, m.Type, len(m.Data), want[i].Type, len(want[i].Data))
		}
	}
}

// senders are the ways of sending messages.
var senders = map[string]func(ctx context.Context, c *stream.Conn, list []stream.Message) error{
	"Send": func(ctx context.Context, c *stream.Conn, list []stream.Message) error {
		for _, m := range list {
			if err := c.Send(ctx, m); err != nil {
				return err
			}
		}
		return nil
	},
	"Sink": func(ctx context.Context, c *stream.Conn, list []stream.Message) error {
		sink := c.Sink(ctx, nil)
		defer close(sink)
		for _, m := range list {
			sink <- m
		}
		return c.Flush(ctx)
	},
	"Writer": func(ctx context.Context, c *stream.Conn, list []stream.Message) error {
		for _, m := range list {
			w, err := c.Writer(ctx, m.Type)
			if err != nil {
				return err
			}
			if _, err := w.Write(m.Data); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
		return nil
	},
}

// However messages are sent, all of them arrive, also those on their way when
// Close is called.
func TestWaysToSend(t *testing.T) {
	for name, send := range senders {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan []stream.Message, 1)
			c := dialed(t, serve(t, func(ctx context.Context, c *websocket.Conn) {
				var got []stream.Message
				for {
					kind, data, err := c.Read(ctx)
					if err != nil {
						arrived <- got
						return
					}
					got = append(got, stream.Message{Type: stream.Type(kind), Data: data})
				}
			}), nil)
			if err := send(t.Context(), c, letters()); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(result.StatusNormalClosure, "sent"); err != nil {
				t.Fatal(err)
			}
			if status, err := c.Result().Wait(t.Context()); err != nil || status.ByPeer || status.Sent != 1000 {
				t.Errorf("ended with %+v, %v", status, err)
			}
			same(t, <-arrived, letters())
		})
	}
}

// The defaults of dial are compression and a heartbeat, and both are at work.
func TestDefaults(t *testing.T) {
	beat := heartbeat.New(&heartbeat.Options{Interval: time.Millisecond, Timeout: time.Minute})
	for name, o := range map[string]*dial.Options{
		"nil":   nil,
		"named": {Operators: []stream.Operator{deflate.New(nil), beat}},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialed(t, serve(t, replay(1000, "")), o)
			if _, err := takers["All"](t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if s, ok := deflate.Of(c); !ok || s.Received().Compressed >= s.Received().Plain {
				t.Errorf("nothing was compressed: %v", ok)
			}
			if _, ok := heartbeat.Of(c); !ok {
				t.Error("there is no heartbeat")
			}
		})
	}
}

// A connection that is cut yields what came before, and then a failure.
func TestCut(t *testing.T) {
	for name, take := range takers {
		t.Run(name, func(t *testing.T) {
			c := dialed(t, serve(t, func(ctx context.Context, c *websocket.Conn) {
				for _, m := range letters() {
					c.Write(ctx, websocket.MessageType(m.Type), m.Data)
				}
				c.CloseNow()
			}), nil)
			got, err := take(t.Context(), c)
			same(t, got, letters())
			if status, _ := c.Result().Status(); !errors.As(err, new(*result.ConnectionFailed)) || status.Code != 1006 {
				t.Errorf("ended with %v, %+v", err, status)
			}
		})
	}
}

// Connect rejects with the very error that onReady returned.
func TestConnectRejects(t *testing.T) {
	errMine := fmt.Errorf("mine")
	url := serve(t, func(ctx context.Context, c *websocket.Conn) { c.Read(ctx) })
	p := dial.Connect(t.Context(), url, func(*stream.Conn) error { return errMine }, nil)
	if status, err := p.Wait(t.Context()); err != errMine || status.Sent != 1011 {
		t.Errorf("ended with %v, %+v", err, status)
	}
	p = dial.Connect(t.Context(), "nonsense", func(*stream.Conn) error { return nil }, nil)
	if _, settled := p.Status(); !settled {
		t.Error("a bad URL is not reported at once")
	}
	if _, err := p.Wait(t.Context()); !errors.As(err, new(*result.General)) {
		t.Errorf("a bad URL gives %v", err)
	}
}
