package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// A HandshakeError reports that the server, or a proxy, answered the opening
// handshake, but not by agreeing to it. [result.ConnectionFailed] wraps it. A
// server that could not be asked at all shows in other errors: *net.OpError
// (also around a *net.DNSError), *tls.CertificateVerificationError, or the
// context's.
type HandshakeError struct {
	// StatusCode is that of the answer: 101 where the handshake was agreed to,
	// but broke the protocol, and 0 where the answer was no HTTP response.
	StatusCode int
	// Header is that of the answer, as it came but for Set-Cookie: cookies are
	// in the client's Jar.
	Header http.Header
	// Body is the first KiB of the answer's body, at most.
	Body []byte
	// Proxy tells that a proxy answered, to the request for a tunnel.
	Proxy bool
	// Err says what was wrong; nil if the status alone does.
	Err error
}

// Error tells the status and what was wrong. It shows neither Header nor Body.
func (e *HandshakeError) Error() string {
	who := "the server"
	if e.Proxy {
		who = "the proxy"
	}
	switch {
	case e.StatusCode == 0, e.StatusCode == http.StatusSwitchingProtocols:
		return fmt.Sprintf("%s broke the opening handshake: %v", who, e.Err)
	case e.Err != nil:
		return fmt.Sprintf("%s answered the opening handshake with %s: %v", who, e.status(), e.Err)
	}
	return fmt.Sprintf("%s refused the opening handshake with %s", who, e.status())
}

// Unwrap returns Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

func (e *HandshakeError) status() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))
}

func newHandshakeError(resp *http.Response, body []byte, err error) *HandshakeError {
	header := resp.Header.Clone()
	header.Del("Set-Cookie")
	return &HandshakeError{StatusCode: resp.StatusCode, Header: header, Body: body, Err: err}
}

var (
	errHeaderTooLarge = errors.New("the answer's header is too large")
	errNoHTTP         = errors.New("the answer is no HTTP/1.1 response")
)

// explain says why the request got no answer. What net/http says of bytes that
// are no HTTP response quotes them, and they may be our own request come back:
// it is replaced.
func explain(ctx context.Context, now phase, err error) error {
	var answered *HandshakeError
	switch {
	case errors.As(err, &answered):
		return answered
	case ctx.Err() != nil:
		return ended(ctx, now)
	case now != answering || transported(err):
		return fmt.Errorf("%s: %w", now, err)
	case strings.Contains(err.Error(), "server response headers exceeded"):
		return &HandshakeError{Err: errHeaderTooLarge}
	}
	return &HandshakeError{Err: errNoHTTP}
}

// transported reports an error of the connection, in contrast to one of what
// came through it.
func transported(err error) bool {
	var network net.Error // *net.OpError, and every timeout
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// ended tells how ctx ended, by its error and its cause, and in which phase.
func ended(ctx context.Context, now phase) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return fmt.Errorf("%s: %w", now, cause)
	}
	return fmt.Errorf("%s: %w: %w", now, err, cause)
}
