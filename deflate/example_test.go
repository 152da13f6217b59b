package deflate_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
)

// small sends a message in as few bytes as can be.
func small(ctx context.Context, url, text string) error {
	conn, err := dial.Dial(ctx, url, &dial.Options{
		Operators: dial.DefaultOperators(deflate.New(&deflate.Options{Level: 9})),
	})
	if err != nil {
		return err
	}
	if state, ok := deflate.Of(conn); ok { // the server has agreed
		defer func() { fmt.Printf("%+v\n", state.Sent()) }()
	}
	if err := conn.SendText(ctx, text); err != nil {
		return err
	}
	return conn.Shutdown(ctx, result.StatusNormalClosure, "")
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		_, message, _ := c.Read(context.Background())
		fmt.Println("a message of", len(message))
		c.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()
	fmt.Println(small(context.Background(), server.URL, strings.Repeat("a", 1000)))
	// Output:
	// a message of 1000
	// {Plain:1000 Compressed:10}
	// <nil>
}

// An exact setup is offered first, the default after it.
func ExampleNew() {
	op := deflate.New(&deflate.Options{Setups: []deflate.Setup{
		{LocalContextMode: deflate.NoTakeover, PeerMaxWindowBits: 10},
		{},
	}})
	for _, offer := range op.Offers() {
		fmt.Println(offer)
	}
	// Output:
	// permessage-deflate; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits
	// permessage-deflate; client_max_window_bits
}

// What a server does with a client's offers. The operator goes into the
// stream.Options of the connection, the answer into the handshake.
func ExampleOperator_Negotiate() {
	op := deflate.New(&deflate.Options{Setups: []deflate.Setup{{PeerContextMode: deflate.NoTakeover}}})
	agreed, answer, ok, err := op.Negotiate("permessage-deflate; client_max_window_bits")
	fmt.Println(answer, ok, err)
	fmt.Println(agreed != nil)
	// Output:
	// permessage-deflate; client_no_context_takeover true <nil>
	// true
}

// Options out of range are found before any connection is made.
func ExampleOperator_Validate() {
	op := deflate.New(&deflate.Options{Setups: []deflate.Setup{{LocalMaxWindowBits: 16}}})
	fmt.Println(op.Validate())
	// Output: deflate.Options.Setups[0].LocalMaxWindowBits is 16: allowed is from 8 to 15, or 0 for the default
}
