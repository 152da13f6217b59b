package dial

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/wsflow/wsflow/result"
)

// carrier returns what is to carry one request: the caller's own RoundTripper
// as it is, an *http.Transport as a clone that serves this request alone.
func (d *dialer) carrier(req *http.Request) (http.RoundTripper, error) {
	base, ok := d.transport.(*http.Transport)
	if !ok {
		return d.transport, nil
	}
	t := base.Clone()
	if t.MaxResponseHeaderBytes == 0 {
		t.MaxResponseHeaderBytes = maxHeaderBytes
	}
	modernize(t)
	if d.transport == http.DefaultTransport {
		t.TLSHandshakeTimeout = 0 // the handshake has a timeout of its own
	}
	if d.opts.DialContext != nil {
		t.DialContext = d.opts.DialContext
	}
	if d.opts.TLSConfig != nil {
		t.TLSClientConfig = d.opts.TLSConfig.Clone()
	}
	if d.target.socket != "" {
		d.dialSocket(t)
	} else if err := d.useProxy(t, req); err != nil {
		return nil, err
	}
	t.TLSClientConfig = d.opts.TLS.relax(t.TLSClientConfig, req.URL.Hostname())
	return t, nil
}

// modernize puts the hooks that take no context in the place of those that do,
// where net/http would call them: what leads a request through a proxy or a
// socket then knows of one kind only.
func modernize(t *http.Transport) {
	//lint:ignore SA1019 a caller's transport may set it
	if dial := t.Dial; dial != nil && t.DialContext == nil {
		t.DialContext = func(_ context.Context, network, addr string) (net.Conn, error) { return dial(network, addr) }
	}
	//lint:ignore SA1019 a caller's transport may set it
	if dial := t.DialTLS; dial != nil && t.DialTLSContext == nil {
		t.DialTLSContext = func(_ context.Context, network, addr string) (net.Conn, error) { return dial(network, addr) }
	}
	//lint:ignore SA1019 a caller's transport may set them
	t.Dial, t.DialTLS = nil, nil
}

// dialSocket leads every connection to the Unix socket.
func (d *dialer) dialSocket(t *http.Transport) {
	t.Proxy, t.DialTLSContext = nil, nil
	t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", d.target.socket)
	}
}

// useProxy leads the request through its proxy, if it has one. net/http does
// so for SOCKS5. HTTP proxies are asked for a tunnel here, for ws as for wss:
// net/http would hand them a request for ws to forward, but
//
// "the client SHOULD connect to that proxy and ask it to open a TCP connection
// to the host given by /host/ and the port given by /port/" with CONNECT.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func (d *dialer) useProxy(t *http.Transport, req *http.Request) error {
	proxy, err := d.proxy(t, req)
	if err != nil || proxy == nil {
		t.Proxy = nil
		return err
	}
	switch proxy.Scheme {
	case "socks5", "socks5h":
		t.Proxy = http.ProxyURL(proxy)
	case "http", "https":
		tunnel := newTunnel(t, proxy, req.Context(), &d.handshake.progress)
		t.Proxy, t.DialTLSContext, t.DialContext = nil, nil, tunnel.dial
	default:
		return badOption("Proxy", proxy.Scheme+":", "a proxy with the scheme http, https, socks5 or socks5h")
	}
	return nil
}

// proxy returns the proxy for the request, or nil.
func (d *dialer) proxy(t *http.Transport, req *http.Request) (*url.URL, error) {
	if d.opts.Proxy != nil {
		return d.opts.Proxy(req)
	}
	if t.Proxy == nil {
		return nil, nil
	}
	u, err := t.Proxy(req)
	if err != nil {
		// The error may quote the environment, password and all.
		return nil, &result.ArgumentError{Name: "dial: the proxy of the transport or the environment", Allowed: "a URL that parses"}
	}
	return u, nil
}

// validateTransport refuses options that could not reach what they are for.
func (d *dialer) validateTransport() error {
	t, ok := d.transport.(*http.Transport)
	if !ok {
		return d.validateForeign()
	}
	//lint:ignore SA1019 a caller's transport may set it
	tlsDialer := t.DialTLSContext != nil || t.DialTLS != nil
	switch {
	case d.opts.TLS&^allTLSFlags != 0:
		return badOption("TLS", int(d.opts.TLS), "a combination of the four flags")
	case d.opts.TLS != 0 && !d.target.secure():
		return badOption("TLS", d.opts.TLS, "no flag with a URL that uses no TLS: nothing would be relaxed")
	case d.opts.TLS != 0 && d.skipsVerification(t):
		return badOption("TLSConfig", nil, "InsecureSkipVerify false beside the option TLS, which forgives less")
	case tlsDialer && (d.opts.TLS != 0 || d.opts.TLSConfig != nil):
		return badOption("HTTPClient", nil, "a transport without a DialTLSContext of its own, beside the options TLS and TLSConfig")
	case tlsDialer && d.target.secure() && d.opts.DialContext != nil:
		return badOption("HTTPClient", nil, "a transport without a DialTLSContext of its own, beside the option DialContext")
	case d.target.socket != "" && d.opts.Proxy != nil:
		return badOption("Proxy", nil, "nil with a ws+unix URL")
	case d.target.socket != "" && d.opts.DialContext != nil:
		return badOption("DialContext", nil, "nil with a ws+unix URL")
	}
	return nil
}

// relaxable reports whether the option TLS would not be refused.
func (d *dialer) relaxable() bool {
	t, ok := d.transport.(*http.Transport)
	//lint:ignore SA1019 a caller's transport may set it
	return ok && t.DialTLSContext == nil && t.DialTLS == nil && d.target.secure()
}

func (d *dialer) skipsVerification(t *http.Transport) bool {
	config := d.opts.TLSConfig
	if config == nil {
		// Whoever uses a transport first may write this field, under a lock
		// that only its methods share.
		config = t.Clone().TLSClientConfig
	}
	return config != nil && config.InsecureSkipVerify
}

// validateForeign is for a RoundTripper that is no *http.Transport.
func (d *dialer) validateForeign() error {
	allowed := fmt.Sprintf("nil or 0 with an HTTPClient whose Transport is a %T", d.transport)
	switch {
	case d.target.socket != "":
		return badURL("ws+unix:", fmt.Sprintf("a URL that a %T can reach", d.transport))
	case d.opts.TLS != 0:
		return badOption("TLS", d.opts.TLS, allowed)
	case d.opts.TLSConfig != nil:
		return badOption("TLSConfig", nil, allowed)
	case d.opts.Proxy != nil:
		return badOption("Proxy", nil, allowed)
	case d.opts.DialContext != nil:
		return badOption("DialContext", nil, allowed)
	}
	return nil
}
