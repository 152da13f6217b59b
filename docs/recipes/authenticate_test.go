package recipes_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

var errToken = errors.New("the token is not valid")

// open connects with a token in the header of the opening handshake.
func open(ctx context.Context, url, token string) (*stream.Conn, error) {
	conn, err := dial.Dial(ctx, url, &dial.Options{
		Header: http.Header{"Authorization": {"Bearer " + token}},
	})
	var refused *dial.HandshakeError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusUnauthorized {
		return nil, errToken
	}
	return conn, err
}

// login sends the name of the user as the first message, and waits for the answer.
func login(ctx context.Context, conn *stream.Conn, user string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := conn.SendText(ctx, "login "+user); err != nil {
		return err
	}
	answer, err := conn.Receive(ctx)
	if err != nil {
		return err
	}
	defer answer.Release()
	if answer.String() != "welcome "+user {
		return fmt.Errorf("the server refuses the login: %s", answer)
	}
	return nil
}

// follow does both, and then prints what the server streams.
func follow(ctx context.Context, url, token, user string) error {
	conn, err := open(ctx, url, token)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil) // for the early returns: it changes nothing after a good end
	if err := login(ctx, conn, user); err != nil {
		return err
	}
	for message, err := range conn.All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(message)
	}
	return nil // the server has closed
}

func Example_authenticate() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		handler(func(ctx context.Context, c *websocket.Conn) {
			if _, login, err := c.Read(ctx); err != nil || string(login) != "login ada" {
				say("no such user")(ctx, c)
				return
			}
			say("welcome ada", "one", "two")(ctx, c)
		}).ServeHTTP(w, r)
	}))
	defer server.Close()
	ctx := context.Background()

	fmt.Println(follow(ctx, server.URL, "good", "ada"))
	fmt.Println(follow(ctx, server.URL, "good", "bob"))
	fmt.Println(follow(ctx, server.URL, "bad", "ada"))
	// Output:
	// one
	// two
	// <nil>
	// the server refuses the login: no such user
	// the token is not valid
}
