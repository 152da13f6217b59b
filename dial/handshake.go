package dial

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"

	layers "github.com/wsflow/wsflow/internal/cut"
)

// The header fields of the handshake as net/http spells them. In the RFC's
// spelling, each look at one would make a string.
const (
	fieldKey        = "Sec-Websocket-Key"
	fieldAccept     = "Sec-Websocket-Accept"
	fieldExtensions = "Sec-Websocket-Extensions"
	fieldProtocol   = "Sec-Websocket-Protocol"
	fieldVersion    = "Sec-Websocket-Version"
)

// github.com/coder/websocket writes the opening handshake and verifies the
// answer. It then wants the connection for itself, but shows neither frames nor
// reserved bits, so that no operator could exist. A handshake is therefore an
// http.RoundTripper that stands between the library and what carries requests,
// an exchange or a caller's own RoundTripper:
//
//   - It adds the offer of extensions to each request, and to one that follows
//     a redirect a key of its own.
//   - It keeps what lies behind the header of each answer: the connection, or
//     the body of a refusal. The library and net/http get a body that leads
//     nowhere, so that they neither wait for that of a redirect nor cut that of
//     a refusal.
//   - Of a 101 it takes Sec-WebSocket-Extensions out, which the library would
//     refuse. The library verifies the rest of the header.
//
// One handshake makes one connection. The library and net/http call RoundTrip
// for one request after the other, once more for each redirect.
type handshake struct {
	carrier  http.RoundTripper
	offer    string // Sec-WebSocket-Extensions, or ""
	progress progress

	asked  bool          // a request was sent
	answer http.Header   // of the 101
	kept   io.ReadCloser // of the last answer, nil if there is none
}

// RoundTrip implements http.RoundTripper.
func (h *handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	h.close() // a redirect is followed by its header alone
	if req.Context().Err() == nil {
		h.progress.enter(starting) // no answer to this request has come
	}
	// The request is changed where it lies: the library and net/http have nothing
	// more to do with its header, and a redirect starts from a copy made before.
	if h.offer != "" {
		req.Header.Set(fieldExtensions, h.offer)
	}
	old := req.Header.Get(fieldKey)
	key := h.key(old)
	req.Header.Set(fieldKey, key)
	resp, err := h.carrier.RoundTrip(req)
	if err != nil || resp == nil {
		return nil, err // net/http says what is wrong with neither
	}
	resp.Request = req
	h.keep(resp)
	if err := checkLocation(resp); err != nil {
		return nil, err
	}
	if key != old || resp.Header[fieldExtensions] != nil {
		resp.Header = verifiable(resp.Header, key, old)
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

// verifiable returns an answer's header as the library is to see it: without
// extensions, and with an answer to our key translated into one to the library's,
// which verifies it. Any other answer to it is left out.
func verifiable(header http.Header, key, librarys string) http.Header {
	header = maps.Clone(header)
	delete(header, fieldExtensions)
	switch {
	case key == librarys:
	case header.Get(fieldAccept) == accept(key):
		header.Set(fieldAccept, accept(librarys))
	default:
		delete(header, fieldAccept)
	}
	return header
}

// accept returns the Sec-WebSocket-Accept for a key.
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// keep takes what lies behind the header out of an answer. A 101 without a
// connection is left to the library.
func (h *handshake) keep(resp *http.Response) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if _, ok := resp.Body.(io.ReadWriteCloser); !ok {
			return
		}
		h.answer = resp.Header
	}
	if resp.Body != nil {
		h.kept, resp.Body = resp.Body, nowhere{}
	}
}

// nowhere is what the library gets in place of a connection or a body.
type nowhere struct{}

func (nowhere) Read([]byte) (int, error)  { return 0, io.EOF }
func (nowhere) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (nowhere) Close() error              { return nil }

// open returns the connection of a 101 and the bytes to read before. A plain
// socket, or TLS over one, is returned as it is, as the stream package reads that
// fastest.
func (h *handshake) open() (io.ReadWriteCloser, []byte) {
	if o, ok := h.kept.(*opened); ok {
		return o.take()
	}
	return h.kept.(io.ReadWriteCloser), nil
}

func (h *handshake) close() {
	if h.kept != nil {
		h.kept.Close()
		h.kept = nil
	}
}

// readBody reads as much of the body of a refusal as is told.
func readBody(ctx context.Context, body io.ReadCloser) []byte {
	ctx, cancel := context.WithTimeout(ctx, graceTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { body.Close() })()
	text, _ := io.ReadAll(io.LimitReader(body, maxBody))
	return text
}

// cut closes a connection at once, through however many layers of TLS.
func cut(c net.Conn) {
	if c != nil {
		layers.Below(c)
		c.Close()
	}
}
