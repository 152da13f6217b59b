package dial

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// none keeps the defaults out of tests that are about something else.
var none = []stream.Operator{}

// A script is what a server does with one connection. The connection is closed
// when it returns.
type script func(c net.Conn, br *bufio.Reader)

// listen runs the script for each connection to a loopback socket, until the
// test ends, and returns the socket's host and port.
func listen(t testing.TB, s script) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, s)
	return l.Addr().String()
}

// secureListen is listen over TLS.
func secureListen(t testing.TB, cert tls.Certificate, s script) (addr string) {
	t.Helper()
	return listenOver(t, &tls.Config{Certificates: []tls.Certificate{cert}}, s)
}

func listenOver(t testing.TB, config *tls.Config, s script) (addr string) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, s)
	return l.Addr().String()
}

func serveOn(t testing.TB, l net.Listener, s script) {
	var running sync.WaitGroup
	ctx, end := context.WithCancel(context.Background())
	t.Cleanup(func() {
		end()
		l.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				defer context.AfterFunc(ctx, func() { c.Close() })()
				s(c, bufio.NewReader(c))
			})
		}
	})
}

// answers is a script that reads the opening handshake and sends what answer
// makes of it, then waits for the client to go.
func answers(answer func(*http.Request) string) script {
	return func(c net.Conn, br *bufio.Reader) {
		for {
			req, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			if _, err := io.WriteString(c, answer(req)); err != nil {
				return
			}
		}
	}
}

func acceptKey(req *http.Request) string {
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// agreement is the header of a good answer, which change may spoil.
func agreement(req *http.Request, change func(http.Header)) string {
	h := http.Header{
		"Connection":           {"Upgrade"},
		"Upgrade":              {"websocket"},
		"Sec-Websocket-Accept": {acceptKey(req)},
	}
	if change != nil {
		change(h)
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	h.Write(&b)
	b.WriteString("\r\n")
	return b.String()
}

func agree(req *http.Request) string { return agreement(req, nil) }

// connect performs the handshake alone.
func connect(t testing.TB, url string, opts *Options) (established, error) {
	t.Helper()
	d, err := newDialer(url, opts)
	if err != nil {
		t.Fatalf("%q is refused before any I/O: %v", url, err)
	}
	e, err := d.connect(t.Context())
	if err == nil {
		t.Cleanup(func() { e.rwc.Close() })
	}
	return e, err
}

func mustConnect(t testing.TB, url string, opts *Options) established {
	t.Helper()
	e, err := connect(t, url, opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// refusal performs a handshake that must end in a HandshakeError.
func refusal(t testing.TB, url string, opts *Options) *HandshakeError {
	t.Helper()
	_, err := connect(t, url, opts)
	var refused *HandshakeError
	if !errors.As(err, &refused) {
		t.Fatalf("dial ended with %v, want a *HandshakeError", err)
	}
	return refused
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

func wantContains(t testing.TB, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s succeeded, want an error with %q", what, parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s ended with %q, want %q in it", what, err, part)
		}
	}
}
