package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// A visit is what the server saw of one connection.
type visit struct {
	request     *http.Request
	subprotocol string
	code        websocket.StatusCode // of the client's Close frame
}

// A server sends each message back, but for these: "binary" is answered with
// four bytes, and "refuse" ends the connection with 4001.
type server struct{ visits chan visit }

// serve starts a server, by way of start, and returns it and its URL.
func serve(t *testing.T, start func(http.Handler) *httptest.Server) (s *server, url string) {
	s = &server{make(chan visit, 2)}
	h := start(s)
	t.Cleanup(h.Close)
	return s, "ws" + strings.TrimPrefix(h.URL, "http")
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/forbidden" {
		http.Error(w, "no entry", http.StatusForbidden)
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"second"}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	err = echo(context.Background(), c)
	s.visits <- visit{r, c.Subprotocol(), websocket.CloseStatus(err)}
}

func echo(ctx context.Context, c *websocket.Conn) error {
	for {
		kind, data, err := c.Read(ctx)
		if err != nil {
			return err
		}
		switch string(data) {
		case "binary":
			kind, data = websocket.MessageBinary, []byte{0, 'a', '\n', 0xFF}
		case "refuse":
			return c.Close(4001, "not you")
		}
		if err := c.Write(ctx, kind, data); err != nil {
			return err
		}
	}
}
