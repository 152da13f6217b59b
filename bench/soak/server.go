package main

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"

	"github.com/wsflow/wsflow/stream"
)

// A server is the far side of all connections. It has a socket of its own for each,
// so that it can end them in every way there is.
type server struct {
	http    *http.Server
	addr    string
	seed    uint64
	fail    func(error)
	number  sync.Mutex
	seeds   uint64 // given out so far
	running sync.WaitGroup
}

// serve starts a server on a port of the local machine.
func serve(seed uint64, fail func(error)) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: l.Addr().String(), seed: seed, fail: fail}
	paths := http.NewServeMux()
	paths.HandleFunc("/feed", s.accept(s.feed))
	paths.HandleFunc("/count", s.accept(s.count))
	paths.HandleFunc("/topics", s.accept(s.topics))
	s.http = &http.Server{Handler: paths}
	go s.http.Serve(l) // ends with close
	return s, nil
}

func (s *server) url(path string) string { return "ws://" + s.addr + path }

// close returns when all connections have ended.
func (s *server) close() {
	s.http.Close()
	s.running.Wait()
}

// random returns a source of its own for each connection.
func (s *server) random() *rand.Rand {
	s.number.Lock()
	defer s.number.Unlock()
	s.seeds++
	return rand.New(rand.NewPCG(s.seed, s.seeds))
}

// A session is one connection as the server has it.
type session struct {
	*stream.Conn
	socket net.Conn
	random *rand.Rand
}

// accept shakes hands, and calls f until it returns.
func (s *server) accept(f func(*session, *http.Request)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.running.Add(1)
		defer s.running.Done()
		socket, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer socket.Close()
		hash := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(hash[:]))
		if buffered.Flush() != nil {
			return
		}
		conn, err := stream.New(socket, stream.Server, nil)
		if err != nil {
			return
		}
		f(&session{conn, socket, s.random()}, r)
		<-conn.Done()
	}
}
