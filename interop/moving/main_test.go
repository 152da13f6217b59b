// Package moving_test holds the programs of docs/moving.md: the same client made
// with three libraries.
package moving_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A client subscribes, and handles what comes until the server closes with 1000.
// When ctx ends it closes, and goes on until the server has closed too.
type client func(ctx context.Context, url string, handle func(text string)) error

var clients = map[string]client{"wsflow": wsflowClient, "coder": coderClient, "gorilla": gorillaClient}

// serve has a server that sends three messages to who subscribes. Then it closes
// with the code, or waits until the client closes, if that is 0.
func serve(t *testing.T, code int) (url string, received <-chan error) {
	ended := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			ended <- err
			return
		}
		defer conn.Close()
		if _, hello, err := conn.ReadMessage(); err != nil || string(hello) != "subscribe" {
			ended <- errors.Join(err, errors.New("the client does not subscribe: "+string(hello)))
			return
		}
		for _, text := range []string{"one", "two", "three"} {
			conn.WriteMessage(websocket.TextMessage, []byte(text))
		}
		if code != 0 {
			conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
		}
		_, _, err = conn.ReadMessage()
		ended <- err
	}))
	t.Cleanup(s.Close)
	return "ws" + strings.TrimPrefix(s.URL, "http"), ended
}

func TestClientsDoTheSame(t *testing.T) {
	for name, follow := range clients {
		for code, good := range map[int]bool{1000: true, 1001: false, 0: true} {
			url, received := serve(t, code)
			ctx, cancel := context.WithCancel(t.Context())
			var got []string
			err := follow(ctx, url, func(text string) {
				got = append(got, text)
				if code == 0 && len(got) == 3 {
					cancel()
				}
			})
			cancel()
			if (err == nil) != good || !slices.Equal(got, []string{"one", "two", "three"}) {
				t.Errorf("%s, after a Close with %d: %q, %v", name, code, got, err)
			}
			want := code
			if code == 0 {
				want = 1000
			}
			if err := <-received; !websocket.IsCloseError(err, want) {
				t.Errorf("%s: the server is told %v, want %d", name, err, want)
			}
		}
	}
}

// The page's code stands in this folder.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/moving.md")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for name := range clients {
		text, err := os.ReadFile(name + "_test.go")
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != len(clients) {
		t.Errorf("the page has %d programs, want %d", len(blocks), len(clients))
	}
	for _, b := range blocks {
		if !strings.Contains(source.String(), b[1]) {
			t.Errorf("this stands in no file here:\n%s", b[1])
		}
	}
}
