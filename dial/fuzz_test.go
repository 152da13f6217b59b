package dial

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// FuzzHandshakeAnswer lets a server answer whatever it likes: {accept} stands
// for the right key. Whatever comes of it, nothing panics, hangs or stays
// behind, and what is read from an open connection is what came behind the
// answer.
func FuzzHandshakeAnswer(f *testing.F) {
	const good = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n"
	f.Add(good + "\r\n" + frames)
	f.Add(good + "Sec-WebSocket-Extensions: x-test; a=\"b\"\r\nSec-WebSocket-Protocol: chat\r\n\r\n")
	f.Add("HTTP/1.1 100 Continue\r\n\r\n" + good + "Content-Length: 5\r\n\r\nhello")
	f.Add("HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n")
	f.Add("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		opts := &Options{
			Operators:    []stream.Operator{testExtension{offers: []string{"x-test"}}},
			Subprotocols: []string{"chat"},
			Proxy:        http.ProxyURL(nil),
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				return pipeTo(t, answersOnce(answer)), nil
			},
		}
		e, err := connect(t, "ws://a.test", opts)
		if err != nil {
			if strings.Contains(err.Error(), answer) && len(answer) > 20 {
				t.Fatalf("the error quotes the answer: %v", err)
			}
			return
		}
		got, err := io.ReadAll(io.MultiReader(bytes.NewReader(e.buffered), e.rwc))
		if err != nil || !strings.HasSuffix(answer, string(got)) {
			t.Fatalf("after %q came %q, %v", answer, got, err)
		}
	})
}

func answersOnce(answer string) script {
	return func(c net.Conn, br *bufio.Reader) {
		if req, err := http.ReadRequest(br); err == nil {
			io.WriteString(c, accepting(answer, req))
		}
		c.Close()
	}
}

// accepting puts the right key into an answer, once: what comes behind its head
// is to be found again as it is.
func accepting(answer string, req *http.Request) string {
	return strings.Replace(answer, "{accept}", acceptKey(req), 1)
}
