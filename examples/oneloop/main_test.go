package main

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The race detector sees to it that the program needs no lock.
func TestLaps(t *testing.T) {
	var stdout, stderr bytes.Buffer
	want(t, "the exit status", run([]http.HandlerFunc{echo, echo, echo}, time.Millisecond, &stdout, &stderr), 0)
	want(t, "standard error", stderr.String(), "")
	want(t, "standard output", stdout.String(), `token 1 is round: 3 hops
token 2 is round: 6 hops
token 3 is round: 9 hops
token 4 is round: 12 hops
token 5 is round: 15 hops, enough
connection 1: [1000, enough]
connection 2: [1000, enough]
connection 3: [1000, enough]
`)
}

// One connection that ends too early brings down the others, and the loop.
func TestBrokenRing(t *testing.T) {
	for _, c := range []struct {
		name           string
		server         http.HandlerFunc
		stdout, stderr string // stderr but for the connections that were cut
	}{
		{"no entry", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) }, "",
			"oneloop: connection 2: wsflow: connection failed: the server refused the opening handshake with 503 Service Unavailable\n"},
		{"4001", closes(4001, "I want no token"), "",
			"oneloop: connection 2: wsflow: closed with code 4001, reason \"I want no token\"\n"},
		{"1000", closes(1000, "enough of it"), "connection 2: [1000, enough of it]\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			want(t, "the exit status", run([]http.HandlerFunc{echo, c.server, echo}, time.Millisecond, &stdout, &stderr), 1)
			want(t, "standard output", stdout.String(), c.stdout)
			lines := regexp.MustCompile(`(?m)^oneloop: connection ([13]): .*context canceled\n`)
			want(t, "standard error", lines.ReplaceAllString(stderr.String(), "$1\n"), "1\n"+c.stderr+"3\n")
		})
	}
}

// closes returns a server that closes the connection when the token comes.
func closes(code websocket.StatusCode, reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		if _, _, err := c.Read(context.Background()); err == nil {
			c.Close(code, reason)
		}
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%v\nwant\n%v", what, got, want)
	}
}
