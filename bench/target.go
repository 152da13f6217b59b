package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"unicode/utf8"
)

// A target is where a client connects, and what it finds there.
type target struct {
	Addr      string
	Path      string // what the server is asked to do, as a request path
	Operation operation
	Text      bool // messages are text
	Size      int  // bytes of a message
	Deflate   compression
	Buffered  bool // observers' channels have buffers

	TLS  *tls.Config  // nil: plain TCP
	HTTP *http.Client // for libraries that dial by one; nil: the default
}

func (t target) url() string {
	if t.TLS != nil {
		return "wss://" + t.Addr + t.Path
	}
	return "ws://" + t.Addr + t.Path
}

// secure makes it a target over TLS 1.3. Roots is the server's certificate as
// PEM. All connections share what is made here.
func (t *target) secure(roots []byte) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(roots)
	t.TLS = &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}
	t.HTTP = &http.Client{Transport: &http.Transport{TLSClientConfig: t.TLS}}
}

// connect opens the TCP or TLS connection alone.
func (t target) connect() (net.Conn, error) {
	if t.TLS != nil {
		return tls.Dial("tcp", t.Addr, t.TLS)
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
