// Package recipes_test holds the code of docs/recipes.md, which is compiled and
// run here.
package recipes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talk starts a server that does the same with each connection and then closes
// it.
func talk(do func(ctx context.Context, c *websocket.Conn)) *httptest.Server {
	return httptest.NewServer(handler(do))
}

func handler(do func(ctx context.Context, c *websocket.Conn)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		c.SetReadLimit(-1)
		do(context.Background(), c)
		c.Close(websocket.StatusNormalClosure, "")
	})
}

// say returns a conversation in which the server sends texts.
func say(texts ...string) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, c *websocket.Conn) {
		for _, text := range texts {
			c.Write(ctx, websocket.MessageText, []byte(text))
		}
	}
}

// echo sends every message back until the client closes.
func echo(ctx context.Context, c *websocket.Conn) {
	for {
		kind, data, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, data) != nil {
			return
		}
	}
}
