package dial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/result"
)

// FuzzDial lets a server send whatever it likes after the request, in pieces of
// a size: {accept} stands for the right key. Dial returns a connection or a
// *result.ConnectionFailed, one of the two, in time, and leaves no goroutine
// behind. The bubble would not end if it did.
func FuzzDial(f *testing.F) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
	for _, answer := range []string{
		good + "\r\n",
		good + "\r\n\x81\x01a\x88\x02\x03\xe8",
		good + "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n\r\n\xc1\x03\x4a\x04\x00",
		good + "Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n\r\n",
		good + "Sec-WebSocket-Protocol: chat\r\n\r\n",
		good + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n" + good + "\r\n",
		"HTTP/1.1 302 Found\r\nLocation: ws://b.test/%zz\r\n\r\n",
		"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 403 Forbidden\r\nContent-Length: 99999\r\n\r\nno",
		"HTTP/1.1 101 \r\n\r\n",
		"HTTP/0.9\r\n\r\n",
		"",
	} {
		f.Add(answer, uint8(0))
		f.Add(answer, uint8(7))
	}
	f.Fuzz(func(t *testing.T, answer string, size uint8) {
		synctest.Test(t, func(t *testing.T) { dialOnce(t, answersIn(answer, int(size))) })
	})
}

func dialOnce(t *testing.T, s script) {
	opts := &Options{
		HTTPClient:   &http.Client{Transport: &http.Transport{}},
		Subprotocols: []string{"chat"},
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return pipeTo(t, s), nil
		},
	}
	began := time.Now()
	conn, err := Dial(t.Context(), "ws://a.test", opts)
	if took := time.Since(began); took > defaultHandshakeTimeout+graceTimeout {
		t.Errorf("it took %v", took)
	}
	var failed *result.ConnectionFailed
	switch {
	case (conn == nil) != errors.As(err, &failed):
		t.Fatalf("Dial returns %v and %v", conn, err)
	case conn == nil:
		return
	}
	for m, err := range conn.All(t.Context()) {
		if err == nil && m.Type == 0 {
			t.Error("a message without a type")
		}
	}
	if _, over := conn.Result().Status(); !over {
		t.Error("the messages have ended, the connection has not")
	}
	conn.CloseNow(nil)
}

// answersIn answers each request, in pieces of a size, and then closes the
// connection.
func answersIn(answer string, size int) script {
	return func(c net.Conn, br *bufio.Reader) {
		defer c.Close()
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		go io.Copy(io.Discard, br) // ends with the connection
		for rest := accepting(answer, req); rest != ""; {
			n := len(rest)
			if size > 0 {
				n = min(size, n)
			}
			if _, err := io.WriteString(c, rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}
}
