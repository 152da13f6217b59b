package dial

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"
)

// github.com/coder/websocket writes the opening handshake and verifies the
// answer. It then wants the connection for itself, but shows neither frames nor
// reserved bits, so that no operator could exist. A handshake is therefore an
// http.RoundTripper that stands between the library and the transport:
//
//   - It adds the offer of extensions to each request, and to one that follows
//     a redirect a key of its own.
//   - Of a 101 it takes Sec-WebSocket-Extensions out, which the library would
//     refuse, and keeps the connection. The library verifies the rest of the
//     header and gets a body that leads nowhere.
//
// One handshake makes one connection. The library and net/http call RoundTrip
// for one request after the other, once more for each redirect.
type handshake struct {
	// carrier returns what is to carry a request. An *http.Transport must be
	// the request's own: it is shut down with it.
	carrier  func(*http.Request) (http.RoundTripper, error)
	offer    string // Sec-WebSocket-Extensions, or ""
	progress progress

	asked  bool        // a request was sent
	answer http.Header // of the 101
	kept   kept
}

// RoundTrip implements http.RoundTripper.
func (h *handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Context().Err() == nil {
		h.progress.enter(starting) // no answer to this request has come
	}
	carrier, err := h.carrier(req)
	if err != nil {
		return nil, err
	}
	trace := h.progress.trace()
	var conn net.Conn
	if t, own := carrier.(*http.Transport); own {
		trace.GotConn = func(info httptrace.GotConnInfo) {
			conn = info.Conn
			h.progress.enter(asking)
		}
		// A dial goes on after its request was cancelled, unless it is told.
		defer t.CloseIdleConnections()
	}
	req = req.Clone(httptrace.WithClientTrace(req.Context(), trace))
	if h.offer != "" {
		req.Header.Set("Sec-WebSocket-Extensions", h.offer)
	}
	old := req.Header.Get("Sec-WebSocket-Key")
	key := h.key(old)
	req.Header.Set("Sec-WebSocket-Key", key)
	resp, err := carrier.RoundTrip(req)
	if err != nil || resp == nil {
		return nil, err // net/http says what is wrong with neither
	}
	if err := checkLocation(resp); err != nil {
		resp.Body.Close()
		return nil, err
	}
	h.keep(resp, conn)
	if key != old {
		translate(resp.Header, key, old)
	}
	return resp, nil
}

// key returns the key for the next request: the library's for the first one,
// and a new one for each that follows a redirect.
//
// "The nonce MUST be selected randomly for each connection."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func (h *handshake) key(first string) string {
	if !h.asked {
		h.asked = true
		return first
	}
	nonce := make([]byte, 16)
	rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(nonce)
}

// translate makes of an answer to our key one to the library's, which verifies
// it, and of any other answer none.
func translate(header http.Header, key, librarys string) {
	if header.Get("Sec-WebSocket-Accept") == accept(key) {
		header.Set("Sec-WebSocket-Accept", accept(librarys))
	} else {
		header.Del("Sec-WebSocket-Accept")
	}
}

// accept returns the Sec-WebSocket-Accept for a key.
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// keep takes the connection, and the answer to the offer, out of a 101.
func (h *handshake) keep(resp *http.Response, conn net.Conn) {
	body, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode != http.StatusSwitchingProtocols || !ok {
		return
	}
	h.kept = kept{body: body, conn: conn}
	h.answer = resp.Header.Clone()
	resp.Header.Del("Sec-WebSocket-Extensions")
	resp.Body = nowhere{}
}

// nowhere is the connection that the library gets.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)  { return 0, io.EOF }
func (nowhere) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (nowhere) Close() error              { return nil }

// A kept is the connection of a 101.
type kept struct {
	body io.ReadWriteCloser // gives what net/http has buffered, then reads conn
	conn net.Conn           // nil if a caller's own RoundTripper has it
}

// open returns the connection to read and write, and the bytes to read before.
//
// A plain socket, or TLS over one, is returned as it is, as the stream package
// reads that fastest. What net/http has buffered is taken out of the body
// first: under a deadline in the past, Read never touches the socket. This is
// not left to connections of other types, some of which ignore deadlines: they
// are read through the body.
func (k kept) open() (io.ReadWriteCloser, []byte, error) {
	switch {
	case k.conn == nil:
		return k.body, nil, nil
	case !isSocket(k.conn):
		return &bodyConn{Conn: k.conn, body: k.body}, nil, nil
	}
	if err := k.conn.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return nil, nil, err
	}
	buffered, _ := io.ReadAll(k.body) // an error of TLS comes again
	return k.conn, buffered, k.conn.SetReadDeadline(time.Time{})
}

func (k kept) close() {
	if k.conn != nil {
		cut(k.conn)
	} else if k.body != nil {
		k.body.Close()
	}
}

func isSocket(c net.Conn) bool {
	switch c := c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	case *tls.Conn:
		return isSocket(c.NetConn())
	}
	return false
}

// A bodyConn is a connection of which a part may still be buffered. It shows
// the abilities that the stream package looks for.
type bodyConn struct {
	net.Conn
	body io.Reader
}

func (c *bodyConn) Read(p []byte) (int, error) { return c.body.Read(p) }

func (c *bodyConn) NetConn() net.Conn {
	if t, ok := c.Conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return c.Conn
}

func (c *bodyConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// cut closes a connection at once: tls.Conn.Close can wait for 5 s for a peer
// that does not read, but not on a closed socket.
func cut(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		t.NetConn().Close()
	}
	if c != nil {
		c.Close()
	}
}
