package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/wsflow/wsflow/result"
)

// A route knows how a connection is made, from an *http.Transport, and from the
// Options that stand in place of its settings.
type route struct {
	transport *http.Transport
	opts      *Options
	dial      dialFunc // makes a TCP connection, or one to a Unix socket
	ownTLS    dialFunc // makes one with TLS; nil: dial does, and then secure
	direct    bool     // without a proxy
	progress  *progress
	watch     watch // of the request at hand
}

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// newRoute returns the route of a transport, where socket is "", or to a Unix
// socket. As net/http does, it takes the hooks with a context before those
// without.
func newRoute(t *http.Transport, opts *Options, socket string, p *progress) route {
	r := route{transport: t, opts: opts, progress: p}
	if socket != "" {
		r.direct = true
		r.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}
		return r
	}
	//lint:ignore SA1019 a caller's transport may set it
	r.dial, r.ownTLS = hook(t.DialContext, t.Dial), hook(t.DialTLSContext, t.DialTLS)
	if opts.DialContext != nil {
		r.dial = hook(opts.DialContext, nil)
	}
	if r.dial == nil {
		r.dial = new(net.Dialer).DialContext
	}
	return r
}

var errNoConn = errors.New("the dial function returned neither a connection nor an error")

// hook returns a caller's function, with or without a context, as one that
// returns when its context ends. A connection that comes later is closed.
func hook(with dialFunc, without func(network, addr string) (net.Conn, error)) dialFunc {
	switch {
	case with == nil && without == nil:
		return nil
	case minds(with):
		return with
	case with == nil:
		with = func(_ context.Context, network, addr string) (net.Conn, error) { return without(network, addr) }
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		type dialed struct {
			conn net.Conn
			err  error
		}
		done := make(chan dialed)
		go func() { // ends with the caller's function
			conn, err := with(ctx, network, addr)
			if conn == nil && err == nil {
				err = errNoConn
			}
			select {
			case done <- dialed{conn, err}:
			case <-ctx.Done():
				if err == nil {
					cut(conn)
				}
			}
		}()
		select {
		case d := <-done:
			return d.conn, d.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// minds reports that a function is the DialContext of some net.Dialer, as the
// one of http.DefaultTransport is: it returns when its context ends, and needs
// no goroutine that does so.
func minds(dial dialFunc) bool {
	return reflect.ValueOf(dial).Pointer() == dialContext
}

var dialContext = reflect.ValueOf(new(net.Dialer).DialContext).Pointer()

// proxy returns the proxy for the request, or nil.
func (r *route) proxy(req *http.Request) (*url.URL, error) {
	if r.direct {
		return nil, nil
	}
	u, err := r.proxyOf(req)
	if err != nil || u == nil {
		return nil, err
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return u, nil
	}
	return nil, badOption("Proxy", u.Scheme+":", "a proxy with the scheme http, https, socks5 or socks5h")
}

func (r *route) proxyOf(req *http.Request) (*url.URL, error) {
	if r.opts.Proxy != nil {
		return r.opts.Proxy(req)
	}
	if r.transport.Proxy == nil {
		return nil, nil
	}
	u, err := r.transport.Proxy(req)
	if err != nil {
		// The error may quote the environment, password and all.
		return nil, &result.ArgumentError{Name: "dial: the proxy of the transport or the environment", Allowed: "a URL that parses"}
	}
	return u, nil
}

// reach calls dial for a host. Only a name has to be resolved, which is a phase of
// its own.
func (r *route) reach(ctx context.Context, dial dialFunc, to host) (net.Conn, error) {
	if _, err := netip.ParseAddr(to.name); err != nil {
		ctx = r.progress.traced(ctx)
	}
	return dial(ctx, "tcp", to.addr())
}

// dialTLS returns a connection with TLS to a host.
func (r *route) dialTLS(ctx context.Context, to host, config *tls.Config) (net.Conn, error) {
	if r.ownTLS == nil {
		conn, err := r.reach(ctx, r.dial, to)
		if err != nil {
			return nil, err
		}
		return r.shake(ctx, tls.Client(conn, config))
	}
	conn, err := r.reach(ctx, r.ownTLS, to)
	if tc, ok := conn.(*tls.Conn); ok && err == nil {
		return r.shake(ctx, tc) // which it may have left to be done
	}
	return conn, err
}

// serverTLS returns the tls.Config for a server: the caller's, relaxed.
func (r *route) serverTLS(to host) *tls.Config {
	config := tlsConfig(r.transport, r.opts)
	if config.ServerName == "" {
		config.ServerName = to.certified()
	}
	return r.opts.TLS.relax(config, to.certified())
}

// proxyTLS returns the tls.Config for a proxy: the caller's, but for the name,
// which is the server's, and never relaxed, as the TLS flags are about the
// server.
func (r *route) proxyTLS(at host) *tls.Config {
	config := tlsConfig(r.transport, r.opts)
	config.ServerName = at.certified()
	return config
}

// tlsConfig returns a copy of the tls.Config to go by.
func tlsConfig(t *http.Transport, opts *Options) *tls.Config {
	config := opts.TLSConfig
	if config == nil {
		// Whoever uses a transport first may write this field, under a lock
		// that only its methods share.
		config = t.Clone().TLSClientConfig
	}
	if config == nil {
		return &tls.Config{}
	}
	config = config.Clone()
	config.NextProtos = nil // HTTP/2 could not carry this handshake
	return config
}

// shake performs the TLS handshake, unless that was done.
func (r *route) shake(ctx context.Context, conn *tls.Conn) (net.Conn, error) {
	timeout := r.transport.TLSHandshakeTimeout
	if r.transport == http.DefaultTransport {
		timeout = 0 // the opening handshake has a timeout of its own
	}
	ctx, cancel := within(ctx, timeout, "TLSHandshakeTimeout")
	defer cancel()
	r.watch.securing()
	err := conn.HandshakeContext(ctx)
	r.watch.secured(conn, err)
	if err == nil {
		return conn, nil
	}
	cut(conn)
	var record tls.RecordHeaderError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return nil, fmt.Errorf("the server answers without TLS, as a ws:// URL would have it: %w", err)
	}
	return nil, err
}

// headerLimit bounds the header of an answer.
func (r *route) headerLimit() int64 {
	if n := r.transport.MaxResponseHeaderBytes; n > 0 {
		return n
	}
	return maxHeaderBytes
}

// within bounds ctx by a timeout of the transport's, of which 0 is none.
func within(ctx context.Context, timeout time.Duration, name string) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, lapsed{"transport's " + name, timeout})
}

// A host is what a URL of a server or a proxy leads to.
type host struct {
	name   string // in ASCII, with the zone of an IPv6 address
	port   string
	secure bool // with TLS
}

var defaultPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

func hostOf(u *url.URL) (host, error) {
	h := host{name: u.Hostname(), port: u.Port(), secure: u.Scheme == "https"}
	if h.name == "" {
		return host{}, errors.New("no Host in the URL")
	}
	if h.port == "" {
		h.port = defaultPorts[u.Scheme]
	}
	if strings.ContainsFunc(h.name, func(r rune) bool { return r > '~' }) {
		if name, err := idna.Lookup.ToASCII(h.name); err == nil {
			h.name = name
		}
	}
	return h, nil
}

// addr is what to connect to from this machine.
func (h host) addr() string { return net.JoinHostPort(h.name, h.port) }

// certified is the name or address that a certificate must be for. The zone of
// an address is for this machine alone: clients "MUST remove any ZoneID attached
// to an outgoing URI, as it has only local significance at the sending host."
//
// https://www.rfc-editor.org/rfc/rfc6874.html#section-4
func (h host) certified() string {
	if address, _, zoned := strings.Cut(h.name, "%"); zoned && strings.Contains(address, ":") {
		return address
	}
	return h.name
}

// remote is the address of the host for another machine, a proxy.
func (h host) remote() string { return net.JoinHostPort(h.certified(), h.port) }
