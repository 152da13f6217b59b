package dial

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/net/proxy"
)

// A tunnel asks a proxy for a connection to the server, for ws as for wss:
//
// "the client SHOULD connect to that proxy and ask it to open a TCP connection
// to the host given by /host/ and the port given by /port/".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
type tunnel struct {
	*route
	proxy *url.URL
}

// open returns a connection to the server.
func (t *tunnel) open(ctx context.Context, to host) (net.Conn, error) {
	at, err := hostOf(t.proxy)
	if err != nil {
		return nil, err
	}
	conn, err := t.dialProxy(ctx, at)
	if err != nil {
		return nil, &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	t.progress.enter(tunneling)
	if t.proxy.Scheme == "http" || t.proxy.Scheme == "https" {
		err = t.connect(ctx, conn, to.remote())
	} else {
		err = t.socks(ctx, conn, at.addr(), to.remote())
	}
	if err != nil {
		cut(conn)
		return nil, err
	}
	return conn, nil
}

// dialProxy returns a connection to the proxy.
func (t *tunnel) dialProxy(ctx context.Context, at host) (net.Conn, error) {
	if at.secure {
		return t.dialTLS(ctx, at, t.proxyTLS(at))
	}
	return t.reach(ctx, t.dial, at)
}

// socks asks a SOCKS5 proxy.
func (t *tunnel) socks(ctx context.Context, conn net.Conn, at, addr string) error {
	var auth *proxy.Auth
	if u := t.proxy.User; u != nil {
		password, _ := u.Password()
		auth = &proxy.Auth{User: u.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", at, auth, already{conn})
	if err != nil {
		return err
	}
	return during(ctx, conn, func() error {
		_, err := d.Dial("tcp", addr) // with a context it would start a goroutine and set deadlines
		return err
	})
}

// An already is a dialer that has dialed.
type already struct{ conn net.Conn }

func (a already) Dial(string, string) (net.Conn, error) { return a.conn, nil }

var (
	errHasty    = errors.New("bytes came through the tunnel before any were sent")
	errSwitched = errors.New("it switched protocols, where it was asked for a tunnel")
)

// connect asks an HTTP proxy. "A client MUST ignore any Content-Length or
// Transfer-Encoding header fields received in a successful response to CONNECT."
//
// https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.6
func (t *tunnel) connect(ctx context.Context, conn net.Conn, addr string) error {
	header, err := t.header(ctx, addr)
	if err != nil {
		return err
	}
	req := &http.Request{Method: "CONNECT", URL: &url.URL{Opaque: addr}, Host: addr, Header: header}
	q := inquiry{conn: conn, watch: watch{new(progress), &noHooks}, limit: t.headerLimit()} // not the request that is watched
	resp, r, err := q.ask(ctx, req)
	if refused := new(HandshakeError); errors.As(err, &refused) {
		refused.Proxy = true
	}
	if err != nil {
		return err
	}
	resp.Request = req
	if t.transport.OnProxyConnectResponse != nil {
		if err := t.transport.OnProxyConnectResponse(ctx, t.proxy, req, resp); err != nil {
			return err
		}
	}
	return t.refusal(ctx, conn, resp, r)
}

// refusal returns what is wrong with the answer, or nil.
func (t *tunnel) refusal(ctx context.Context, conn net.Conn, resp *http.Response, r *bufio.Reader) error {
	var body []byte
	var err error
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		err = errSwitched
	case resp.StatusCode/100 != 2:
		body = readBody(ctx, &opened{Conn: conn, r: r, body: bodyOf(resp, r)})
	case r.Buffered() > 0:
		err = errHasty
	default:
		return nil
	}
	refused := newHandshakeError(resp, body, err)
	refused.Proxy = true
	return refused
}

// header returns the header of the CONNECT request, with the URL's userinfo as
// Basic authorization.
func (t *tunnel) header(ctx context.Context, addr string) (http.Header, error) {
	header := t.transport.ProxyConnectHeader
	if get := t.transport.GetProxyConnectHeader; get != nil {
		h, err := get(ctx, t.proxy, addr)
		if err != nil {
			return nil, err
		}
		header = h
	}
	header = header.Clone()
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
