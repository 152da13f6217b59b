package dial

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// A tunnel asks an HTTP proxy for a connection to the server. It serves one
// request.
type tunnel struct {
	proxy    *url.URL
	request  context.Context // of the request
	progress *progress

	transport  *http.Transport // whose hooks for proxies count
	connect    dialFunc
	connectTLS dialFunc    // nil: connect, and TLS with config
	config     *tls.Config // may be nil
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

func newTunnel(t *http.Transport, proxy *url.URL, request context.Context, p *progress) *tunnel {
	connect := t.DialContext
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	return &tunnel{
		proxy: proxy, request: request, progress: p,
		transport: t, connect: connect, connectTLS: t.DialTLSContext, config: t.TLSClientConfig,
	}
}

// dial returns a connection to the server at addr. It goes by the context of
// the request: the one that net/http hands it outlasts the request.
func (t *tunnel) dial(_ context.Context, network, addr string) (net.Conn, error) {
	conn, err := t.dialProxy(t.request, network)
	if err != nil {
		return nil, &net.OpError{Op: "proxyconnect", Net: network, Err: err}
	}
	t.progress.enter(tunneling)
	defer context.AfterFunc(t.request, func() { cut(conn) })()
	if err := t.ask(conn, addr); err != nil {
		cut(conn)
		return nil, err
	}
	return conn, nil
}

func (t *tunnel) dialProxy(ctx context.Context, network string) (net.Conn, error) {
	secure := t.proxy.Scheme == "https"
	port := t.proxy.Port()
	switch {
	case port == "" && secure:
		port = "443"
	case port == "":
		port = "80"
	}
	addr := net.JoinHostPort(t.proxy.Hostname(), port)
	if secure && t.connectTLS != nil {
		return t.connectTLS(ctx, network, addr)
	}
	conn, err := t.connect(ctx, network, addr)
	if err != nil || !secure {
		return conn, err
	}
	return t.secure(ctx, conn)
}

// secure makes the TLS connection to the proxy. It follows the caller's
// tls.Config, but for the name, which is the server's, and never the TLS
// flags, which are about the server.
func (t *tunnel) secure(ctx context.Context, conn net.Conn) (net.Conn, error) {
	t.progress.enter(securing)
	config := &tls.Config{}
	if t.config != nil {
		config = t.config.Clone()
	}
	config.ServerName, config.NextProtos = t.proxy.Hostname(), nil
	tc := tls.Client(conn, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return tc, nil
}

// ask sends CONNECT and reads the answer.
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.6
func (t *tunnel) ask(conn net.Conn, addr string) error {
	header, err := t.header(addr)
	if err != nil {
		return err
	}
	req := &http.Request{Method: "CONNECT", URL: &url.URL{Opaque: addr}, Host: addr, Header: header}
	if err := req.Write(conn); err != nil {
		return err
	}
	limit := &io.LimitedReader{R: conn, N: t.transport.MaxResponseHeaderBytes}
	br := bufio.NewReader(limit)
	resp, err := http.ReadResponse(br, req)
	for err == nil && interim(resp) {
		resp, err = http.ReadResponse(br, req)
	}
	if err != nil {
		return t.unanswered(limit, err)
	}
	if t.transport.OnProxyConnectResponse != nil {
		if err := t.transport.OnProxyConnectResponse(t.request, t.proxy, req, resp); err != nil {
			return err
		}
	}
	if resp.StatusCode/100 != 2 {
		conn.SetReadDeadline(time.Now().Add(bodyTimeout))
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		refusal := newHandshakeError(resp, body, nil)
		refusal.Proxy = true
		return refusal
	}
	if br.Buffered() > 0 {
		return &HandshakeError{Proxy: true, Err: errors.New("bytes came through the tunnel before any were sent")}
	}
	return nil
}

// interim reports an answer before the answer: "A client MUST be able to parse
// one or more 1xx responses received prior to a final response".
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-15.2
func interim(resp *http.Response) bool {
	return resp.StatusCode/100 == 1 && resp.StatusCode != http.StatusSwitchingProtocols
}

// unanswered says why there was no answer, without quoting what came.
func (t *tunnel) unanswered(limit *io.LimitedReader, err error) error {
	switch {
	case limit.N <= 0:
		return &HandshakeError{Proxy: true, Err: errHeaderTooLarge}
	case transported(err):
		return err
	}
	return &HandshakeError{Proxy: true, Err: errNoHTTP}
}

// header returns the header of the CONNECT request, with the URL's userinfo as
// Basic authorization.
func (t *tunnel) header(addr string) (http.Header, error) {
	header := t.transport.ProxyConnectHeader
	if get := t.transport.GetProxyConnectHeader; get != nil {
		h, err := get(t.request, t.proxy, addr)
		if err != nil {
			return nil, err
		}
		header = h.Clone()
	}
	if header == nil {
		header = http.Header{}
	}
	if u := t.proxy.User; u != nil {
		password, _ := u.Password()
		login := base64.StdEncoding.EncodeToString([]byte(u.Username() + ":" + password))
		header.Set("Proxy-Authorization", "Basic "+login)
	}
	return header, nil
}
