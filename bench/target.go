package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"unicode/utf8"
)

// A target is where a client connects, and what it finds there.
type target struct {
	Addr      string
	Path      string // what the server is asked to do, as a request path
	Roots     []byte // the server's certificate as PEM: TLS 1.3; nil: plain TCP
	Operation operation
	Text      bool // messages are text
	Size      int  // bytes of a message
	Deflate   compression
	Buffered  bool // observers' channels have buffers
}

func (t target) url() string {
	if t.Roots != nil {
		return "wss://" + t.Addr + t.Path
	}
	return "ws://" + t.Addr + t.Path
}

// tlsConfig returns what a client needs to verify the server's certificate;
// nil for plain TCP.
func (t target) tlsConfig() *tls.Config {
	if t.Roots == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(t.Roots)
	return &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}
}

// connect opens the TCP or TLS connection alone.
func (t target) connect() (net.Conn, error) {
	if config := t.tlsConfig(); config != nil {
		return tls.Dial("tcp", t.Addr, config)
	}
	return net.Dial("tcp", t.Addr)
}

var errNotText = errors.New("bench: a text message is not UTF-8")

// check validates text for libraries that leave this to their caller.
func (t target) check(message []byte) error {
	if t.Text && !utf8.Valid(message) {
		return errNotText
	}
	return nil
}
