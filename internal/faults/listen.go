package faults

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// Listen serves over TCP until the test ends, and returns the URL.
func (s *Server) Listen(t testing.TB) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.running.Go(func() { // ends with l
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() { s.shake(c) }) // ends with the connection
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.Close()
	})
	return "ws://" + l.Addr().String()
}

// shake answers the opening handshake, and serves the connection.
func (s *Server) shake(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	if s.refuses() {
		io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
		return
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := fmt.Sprintf("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	s.serve(c, r, answer)
}
