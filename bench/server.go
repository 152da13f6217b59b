package main

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// A server is what every client is measured against. It belongs to no
// WebSocket library: it shakes hands and then does the least that the request
// path asks for, out of large prepared buffers.
type server struct {
	plain, secure net.Listener
	roots         []byte // the certificate of secure, as PEM
	sinks         sinks
	batches       batches
	fleets        fleets
}

func newServer() (*server, error) {
	certificate, roots, err := selfSigned()
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS13,
	})
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return &server{plain: plain, secure: secure, roots: roots}, nil
}

// serve accepts connections until close is called. Each of its goroutines ends
// with its listener, or with its connection, which the client closes.
func (s *server) serve() {
	for _, l := range []net.Listener{s.plain, s.secure} {
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go s.handle(conn)
			}
		}()
	}
}

func (s *server) close() {
	s.plain.Close()
	s.secure.Close()
}

// handle serves one connection until it ends, which is how each measurement
// does: its errors mean no more than that.
func (s *server) handle(conn net.Conn) {
	defer conn.Close()
	request, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	ask, err := parseAsk(request.URL.Query())
	if err != nil {
		fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n%v\n", err)
		return
	}
	switch request.URL.Path {
	case "/blast":
		batch := s.batches.of(ask) // before the 101, after which the clock runs
		if upgrade(conn, request, ask.Deflate) == nil {
			blast(conn, batch)
		}
	case "/sink":
		done := s.sinks.open(ask.ID)
		defer done()
		if upgrade(conn, request, ask.Deflate) == nil {
			s.sinks.run(ask.ID, conn)
		}
	case "/echo":
		if upgrade(conn, request, ask.Deflate) == nil {
			echo(conn)
		}
	case "/hold":
		if upgrade(conn, request, ask.Deflate) == nil {
			s.keep(conn, ask)
		}
	case "/fleet":
		f := s.fleets.of(ask.ID)
		batch := s.batches.of(ask)
		number := f.join(conn)
		if upgrade(conn, request, ask.Deflate) == nil {
			f.sail(conn, ask, batch, number)
		}
	case "/start":
		s.fleets.of(ask.ID).start()
		answer(conn, count{})
	case "/dismiss":
		s.fleets.dismiss(ask.ID)
		answer(conn, count{})
	case "/taken":
		answer(conn, s.sinks.count(ask.ID))
	case "/given":
		batch := s.batches.of(ask)
		answer(conn, count{Messages: batch.count, Bytes: len(batch.frames)})
	}
}

// upgrade answers the opening handshake, and agrees to permessage-deflate
// exactly as the workload asks for it.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.2.2
func upgrade(conn net.Conn, request *http.Request, deflate compression) error {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + guid))
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	switch deflate {
	case deflateTakeover:
		head += "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	case deflateFresh:
		head += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	}
	_, err := io.WriteString(conn, head+"\r\n")
	return err
}

// answer sends a value as JSON.
func answer(conn net.Conn, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // plain numbers always marshal
	}
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}
