package dial

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// An exchange is the http.RoundTripper for opening handshakes: each request has
// a connection of its own, and all that is wanted of the answer is its header
// and, of a refusal, a little of the body.
//
// It stands in the place of an *http.Transport, and goes by what that says of
// dialing, TLS, proxies, and limits of the answer. The rest is about connections
// that are used again, which no connection of a handshake is, and which have
// rules of their own: an *http.Transport reads on one goroutine and writes on
// another, refuses a 101 that would end a connection which HTTP goes on with,
// drops the status of a refusal that it cannot tell the end of, and prints to
// the standard logger what a server sends unasked, our own request among it if
// the server echoes.
//
// Nothing here starts a goroutine, but where a caller's dial function may not
// mind its context. A context that ends cuts the connection; no deadline is set,
// so that none can stay behind.
type exchange struct{ route }

// RoundTrip implements http.RoundTripper, but that it changes how names of the
// request's header are spelled. The body of an answer is an *opened.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	spell(req.Header)
	x.watch = x.progress.watched(ctx)
	conn, err := x.connect(req)
	if err != nil {
		return nil, err
	}
	q := inquiry{conn: conn, watch: x.watch, limit: x.headerLimit(), timeout: x.transport.ResponseHeaderTimeout}
	resp, r, err := q.ask(ctx, &http.Request{Method: req.Method, URL: req.URL, Host: req.Host, Header: req.Header})
	if err != nil {
		cut(conn)
		return nil, x.hinted(req, err)
	}
	resp.Body = &opened{Conn: conn, r: r, body: bodyOf(resp, r)}
	return resp, nil
}

// hinted adds to an error what it may mean: most servers that expect TLS close
// the connection when something else comes.
func (x *exchange) hinted(req *http.Request, err error) error {
	if req.URL.Scheme == "http" && x.progress.phase() == waiting && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
		return fmt.Errorf("%w (a server that wants TLS, which is a wss:// URL, may end so)", err)
	}
	return err
}

// connect returns a connection to the server, TLS included.
func (x *exchange) connect(req *http.Request) (net.Conn, error) {
	to, err := hostOf(req.URL)
	if err != nil {
		return nil, err
	}
	proxy, err := x.proxy(req)
	if err != nil {
		return nil, err
	}
	x.watch.connecting(to)
	conn, err := x.dialThrough(req.Context(), proxy, to)
	if err != nil {
		return nil, err
	}
	x.watch.connected(conn)
	return conn, nil
}

func (x *exchange) dialThrough(ctx context.Context, proxy *url.URL, to host) (net.Conn, error) {
	switch {
	case proxy == nil && to.secure:
		return x.dialTLS(ctx, to, x.serverTLS(to))
	case proxy == nil:
		return x.reach(ctx, x.dial, to)
	}
	t := &tunnel{route: &x.route, proxy: proxy}
	conn, err := t.open(ctx, to)
	if err != nil || !to.secure {
		return conn, err
	}
	return x.shake(ctx, tls.Client(conn, x.serverTLS(to)))
}

// spell puts the names of the handshake's fields into the spelling of RFC 6455.
// HTTP's names have no case, but there are servers that know this one alone.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func spell(header http.Header) {
	for field, spelling := range spellings {
		if values, ok := header[field]; ok {
			delete(header, field)
			header[spelling] = values
		}
	}
}

func spelling(field string) string {
	if s, ok := spellings[field]; ok {
		return s
	}
	return field
}

var spellings = map[string]string{
	fieldKey:        "Sec-WebSocket-Key",
	fieldAccept:     "Sec-WebSocket-Accept",
	fieldExtensions: "Sec-WebSocket-Extensions",
	fieldProtocol:   "Sec-WebSocket-Protocol",
	fieldVersion:    "Sec-WebSocket-Version",
}

// An inquiry is one request over a connection, and its answer.
type inquiry struct {
	conn    net.Conn
	watch   watch
	limit   int64         // bytes of the answers' headers
	timeout time.Duration // for the request and the answer's header; 0: none
}

// ask sends the request, and returns the header of the answer to it and what
// the bytes behind it are to be read from. It does not close the connection,
// but when ctx ends.
func (q *inquiry) ask(ctx context.Context, req *http.Request) (*http.Response, *bufio.Reader, error) {
	text := bytes.NewBuffer(make([]byte, 0, usualHeader))
	if err := req.Write(text); err != nil {
		return nil, nil, err
	}
	ctx, cancel := within(ctx, q.timeout, "ResponseHeaderTimeout")
	defer cancel()
	var resp *http.Response
	r := bufio.NewReaderSize(q.conn, headerBuffer)
	err := during(ctx, q.conn, func() (err error) {
		resp, err = q.exchange(text.Bytes(), r)
		return err
	})
	return resp, r, err
}

// exchange writes the request and reads the answer to it. A server that takes no
// more connections may answer without having read the request, so that writing
// fails and the answer is there: a refusal is waited for a little.
func (q *inquiry) exchange(text []byte, r *bufio.Reader) (*http.Response, error) {
	n, unsent := q.conn.Write(text)
	if unsent == nil && n < len(text) {
		unsent = io.ErrShortWrite
	}
	q.watch.asked(unsent)
	if unsent == nil {
		return q.read(r)
	}
	defer time.AfterFunc(graceTimeout, func() { cut(q.conn) }).Stop()
	resp, err := q.read(r)
	if err == nil && resp.StatusCode < 300 || err != nil && !errors.As(err, new(*HandshakeError)) {
		err = unsent
	}
	return resp, err
}

// read returns the header of the final answer.
func (q *inquiry) read(r *bufio.Reader) (*http.Response, error) {
	if _, err := r.Peek(1); err != nil {
		return nil, err
	}
	q.watch.answered()
	if isAlert(r) {
		return nil, &HandshakeError{Err: errAlert}
	}
	h := &head{r: r, left: q.limit}
	for {
		resp, err := h.answer()
		if err != nil || !interim(resp) {
			return resp, err
		}
		if err := q.watch.interim(resp); err != nil {
			return nil, err
		}
	}
}

// An opened is what lies behind an answer's header: the connection, and what of
// it is the body.
type opened struct {
	net.Conn
	r    *bufio.Reader
	body io.Reader
}

func (o *opened) Read(p []byte) (int, error) { return o.body.Read(p) }

func (o *opened) Close() error {
	cut(o.Conn)
	return nil
}

// take returns the connection and what was read of it behind the header. A
// deadline that a caller's dial function left was for the handshake.
func (o *opened) take() (net.Conn, []byte) {
	buffered, _ := o.r.Peek(o.r.Buffered())
	o.SetDeadline(time.Time{}) // fails where there is none
	return o.Conn, bytes.Clone(buffered)
}

// during runs f, which uses the connection. If ctx ends meanwhile, the
// connection is cut, and the error is the context's cause. Otherwise ctx does
// not touch it any more.
func during(ctx context.Context, conn net.Conn, f func() error) error {
	stop := context.AfterFunc(ctx, func() { cut(conn) })
	err := f()
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}
