package dial

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Options say how to connect, and what the connection is to be like. A nil
// pointer and zero fields mean the defaults. A negative number means no bound
// where the field says so, and is refused otherwise. Options are never modified,
// may be used for any number of connections at the same time, and must not be
// changed while one is being made. The package comment holds a table of them.
type Options struct {
	// Header is sent with the opening handshake; the values of a key keep their
	// order. What the handshake itself owns is refused: Sec-WebSocket-*,
	// Connection, Upgrade, Content-Length, Transfer-Encoding and Trailer. So is
	// Host, for which there is the next field. Redirects follow net/http:
	// Authorization, Cookie and WWW-Authenticate are dropped for another host;
	// subdomains and other ports count as the same host.
	Header http.Header

	// Host is sent in place of the URL's host and port, in the Host header
	// alone: name resolution and certificates go by the URL.
	Host string

	// Subprotocols are offered to the server, the preferred one first. Each is
	// an RFC 9110 token; none may appear twice. The server may choose one of
	// them, case and all, or none: see [stream.Conn.Subprotocol].
	Subprotocols []string

	// HTTPClient says how the handshake is sent; nil is http.DefaultClient. Its
	// Jar and its CheckRedirect are used, beside this package's own limits, and
	// its Timeout counts if it is shorter than HandshakeTimeout.
	//
	// An *http.Transport lends its settings for dialing, TLS, proxies, and the size and
	// time of an answer's header (Dial, DialContext, DialTLS, DialTLSContext,
	// TLSClientConfig, TLSHandshakeTimeout, Proxy, ProxyConnectHeader,
	// GetProxyConnectHeader, OnProxyConnectResponse, MaxResponseHeaderBytes,
	// ResponseHeaderTimeout). For MaxResponseHeaderBytes, each line of a header counts
	// 32 bytes more than its length. The transport itself is not used: each request has
	// a connection of its own.
	//
	// Any other RoundTripper carries the handshake as it is. With it the fields
	// TLS, TLSConfig, Proxy and DialContext are refused, as is a ws+unix URL:
	// they could not reach it.
	HTTPClient *http.Client

	// Operators stand between messages and frames, the first one nearest the
	// application. Nil means the defaults: deflate.New(nil) and heartbeat.New(nil).
	// Any other list replaces them: [DefaultOperators] adds to them or changes one.
	// An empty list that is not nil means no operators.
	Operators []stream.Operator

	// SizeLimit, SuccessCodes, CloseTimeout, LookAhead, FragmentSize and Logger
	// are those of [stream.Options].
	SizeLimit    int64
	SuccessCodes []result.StatusCode
	CloseTimeout time.Duration
	LookAhead    int
	FragmentSize int
	Logger       *zap.Logger

	// HandshakeTimeout bounds everything from name resolution to the server's
	// answer, redirects included. Zero is 15 seconds, negative is no bound but
	// the context's.
	HandshakeTimeout time.Duration

	// TLS forgives defects of the server's certificate. Zero forgives none. It
	// needs a wss or https URL.
	TLS TLSFlags

	// TLSConfig is used in place of the transport's TLSClientConfig: roots,
	// client certificates, versions, key log. Nil is the transport's, where
	// there is one. It is cloned. NextProtos is not used.
	TLSConfig *tls.Config

	// Proxy returns the proxy for a request, or nil for none, in place of the
	// transport's Proxy; http.ProxyURL makes one that is always the same. Nil
	// is the transport's, which for http.DefaultTransport is the environment's
	// HTTP_PROXY (for ws), HTTPS_PROXY (for wss) and NO_PROXY. A proxy has the
	// scheme http, https, socks5 or socks5h.
	Proxy func(*http.Request) (*url.URL, error)

	// DialContext makes the TCP connection, to the proxy where there is one, in
	// place of the transport's. It must return a connection or an error. If its
	// context ends first, it is not waited for, and a connection that it returns
	// later is closed. A deadline that it leaves on the connection holds for the
	// handshake alone. It is not used for ws+unix.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// Post is stream.Options.Post; it also runs onReady of [Connect]. The method
	// Post of a [Loop] is one.
	Post func(func())
}

const (
	defaultHandshakeTimeout = 15 * time.Second
	maxRedirects            = 10
	maxHeaderBytes          = 64 << 10
	headerBuffer            = 1 << 10         // for an answer's header, which few exceed
	usualHeader             = 1 << 9          // of a request or an answer
	maxBody                 = 8 << 10         // of a refusal
	graceTimeout            = 3 * time.Second // for it, and for an answer to a request that could not be sent
)
