package wsflow_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
)

// An unfriendly server answers each connection to a loopback socket as it
// likes. It ends with the test.
func unfriendly(t *testing.T, answer func(c net.Conn, req *http.Request)) (host string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				defer context.AfterFunc(t.Context(), func() { c.Close() })()
				if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					answer(c, req)
				}
			})
		}
	})
	return l.Addr().String()
}

// dialFails dials and returns the error of a failed connection.
func dialFails(t *testing.T, url string, opts *dial.Options) error {
	t.Helper()
	conn, err := dial.Dial(t.Context(), url, opts)
	if err == nil {
		conn.CloseNow(nil)
		t.Fatal("the dial succeeded")
	}
	var failed *result.ConnectionFailed
	if !errors.As(err, &failed) {
		t.Fatalf("the dial ended with %T: %v", err, err)
	}
	return err
}

func withProxy(host string) *dial.Options {
	return &dial.Options{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: host})}
}

// Whatever a server answers to the opening handshake, it fills no memory with
// it, and the dial ends.
func TestMemoryOfHandshakes(t *testing.T) {
	filler := strings.Repeat("x", 1000)
	for name, begins := range map[string]struct{ once, endless string }{
		"header lines":            {"HTTP/1.1 101 Switching Protocols\r\n", "X-" + filler + ": y\r\n"},
		"one header line":         {"HTTP/1.1 101 Switching Protocols\r\nX: ", filler},
		"one header line, folded": {"HTTP/1.1 101 Switching Protocols\r\nX: ", filler + "\r\n "},
		"a status line":           {"HTTP/1.1 101 ", filler},
		"no line at all":          {"", filler},
		"empty lines":             {"", "\r\n"},
		"interim answers":         {"", "HTTP/1.1 103 Early Hints\r\nLink: " + filler + "\r\n\r\n"},
		"a refusal's body":        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 9223372036854775807\r\n\r\n", filler},
		"a refusal's chunks":      {"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n", "3e8\r\n" + filler + "\r\n"},
		"a refusal's chunk":       {"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n", "1;" + filler},
		"a refusal until it ends": {"HTTP/1.1 403 Forbidden\r\n\r\n", filler},
		"a redirect's body":       {"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9223372036854775807\r\n\r\n", filler},
	} {
		answer := func(c net.Conn, _ *http.Request) {
			io.WriteString(c, begins.once)
			endlessly(c, begins.endless)
		}
		t.Run("server/"+name, func(t *testing.T) {
			staysUnder(t, 8*mib, func(t *testing.T) {
				err := dialFails(t, "ws://"+unfriendly(t, answer), nil)
				var refused *dial.HandshakeError
				if errors.As(err, &refused) && len(refused.Body) > 8*kib {
					t.Errorf("it keeps %d bytes of the body", len(refused.Body))
				}
			})
		})
		t.Run("proxy/"+name, func(t *testing.T) {
			staysUnder(t, 8*mib, func(t *testing.T) { dialFails(t, "ws://a.test", withProxy(unfriendly(t, answer))) })
		})
	}
}

// Redirects end.
func TestEndlessRedirects(t *testing.T) {
	var requests atomic.Int32
	host := unfriendly(t, func(c net.Conn, _ *http.Request) {
		fmt.Fprintf(c, "HTTP/1.1 307 Again\r\nLocation: /%d\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", requests.Add(1))
	})
	staysUnder(t, 8*mib, func(t *testing.T) { dialFails(t, "ws://"+host, nil) })
	if n := requests.Load(); n != 11 {
		t.Errorf("the server saw %d requests, want 1 and 10 redirects", n)
	}
}
