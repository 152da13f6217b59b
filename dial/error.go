package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A HandshakeError reports that the server, or a proxy, answered the opening
// handshake, but not by agreeing to it. [result.ConnectionFailed] wraps it. A
// server that could not be asked at all shows in other errors: *net.OpError
// (also around a *net.DNSError), *tls.CertificateVerificationError, or the
// context's.
//
// Nobody modifies it once it is returned.
type HandshakeError struct {
	// StatusCode is that of the answer: 101 where the handshake was agreed to,
	// but broke the protocol, and 0 where the answer has no status line.
	StatusCode int
	// Header is the header of the answer, without Set-Cookie: cookies are in the
	// client's Jar. If the header is malformed, too large or cut, these are the fields
	// before the fault.
	Header http.Header
	// Body is what came of the answer's body within 3 s, and 8 KiB of it at
	// most. It is empty where the answer's framing is invalid, as with two
	// Content-Lengths.
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
	case e.Err == nil:
		return fmt.Sprintf("%s refused the opening handshake with %s", who, e.status())
	case e.StatusCode == 0, e.StatusCode == http.StatusSwitchingProtocols, e.Proxy && e.StatusCode/100 == 2:
		return fmt.Sprintf("%s broke the opening handshake: %v", who, e.Err)
	}
	return fmt.Sprintf("%s answered the opening handshake with %s: %v", who, e.status(), e.Err)
}

// Unwrap returns Err.
func (e *HandshakeError) Unwrap() error { return e.Err }

// Final reports that the same request would fail again: the status is a 4xx,
// but none of those that ask for patience, which are 408 (Request Timeout), 425
// (Too Early) and 429 (Too Many Requests).
func (e *HandshakeError) Final() bool {
	switch e.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.StatusCode/100 == 4
}

// RetryAfter returns how long the answer asks to wait, from when it came, before
// the server or proxy is asked again. It is never negative, and 0 if the answer
// does not say or is not understood. A date counts from the answer's own Date,
// if it has one, so that a server whose clock is wrong does no harm.
//
//	Retry-After = HTTP-date / delay-seconds
//	delay-seconds = 1*DIGIT
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.3
func (e *HandshakeError) RetryAfter() time.Duration {
	text := e.Header.Get("Retry-After")
	if strings.Trim(text, "0123456789") == "" { // a number of seconds, or nothing
		seconds, err := strconv.ParseUint(text, 10, 63)
		if errors.Is(err, strconv.ErrRange) || seconds > uint64(math.MaxInt64/time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(e.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, at.Sub(now))
}

func (e *HandshakeError) status() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))
}

func newHandshakeError(resp *http.Response, body []byte, err error) *HandshakeError {
	header := resp.Header.Clone()
	header.Del("Set-Cookie")
	return &HandshakeError{StatusCode: resp.StatusCode, Header: header, Body: body, Err: err}
}

// errUnread stands for what a caller's own RoundTripper says of an answer: that
// may quote the answer, which may be our own request come back.
var errUnread = errors.New("the RoundTripper of the HTTPClient could not read the answer")

// explain says why the request got no answer.
func (d *dialer) explain(ctx context.Context, err error) error {
	var answered *HandshakeError
	now := d.handshake.progress.phase()
	_, ours := d.handshake.carrier.(*exchange)
	// The second is net/http's text, where a RoundTripper hides the phase.
	answering := now == answering || strings.Contains(err.Error(), "transport connection broken")
	switch {
	case errors.As(err, &answered):
		return answered
	case ctx.Err() != nil:
		return ended(ctx, now)
	case ours || !answering || transported(err):
		return fmt.Errorf("%s: %w", now, err)
	case strings.Contains(err.Error(), "server response headers exceeded"):
		return &HandshakeError{Err: errHeaderTooLarge}
	}
	return &HandshakeError{Err: errUnread}
}

// transported reports an error of the connection, in contrast to one of what
// came through it.
func transported(err error) bool {
	var network net.Error // *net.OpError, and every timeout
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// A lapsed is the cause of a context that a timeout ended.
type lapsed struct {
	what  string
	after time.Duration
}

func (l lapsed) Error() string {
	return fmt.Sprintf("the %s of %v is over: %v", l.what, l.after, l.Unwrap())
}

func (l lapsed) Unwrap() error { return context.DeadlineExceeded }

// ended tells how ctx ended, by its error and its cause, and in which phase.
func ended(ctx context.Context, now phase) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return fmt.Errorf("%s: %w", now, cause)
	}
	return fmt.Errorf("%s: %w: %w", now, err, cause)
}
