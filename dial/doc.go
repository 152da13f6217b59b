// Package dial connects to WebSocket servers: it does everything from a URL to
// an open [stream.Conn].
//
//	conn, err := dial.Dial(ctx, url, nil)
//	if err != nil {
//		return err
//	}
//	if err := conn.SendText(ctx, "subscribe"); err != nil {
//		return err
//	}
//	for message, err := range conn.All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(message)
//	}
//	return nil // the server has closed with 1000
//
// # Dial or Connect
//
// [Dial] is for code that runs from top to bottom: it waits for the connection
// and returns it. [Connect] is for code made of callbacks, on an event loop or
// without one: it returns at once, and calls onReady with the open connection.
// Both make the same connection by the same options.
//
//	                             Dial                        Connect
//	returns                      an open connection          the promise of its end
//	when                         after the handshake         at once
//	ctx bounds                   the handshake               the connection's whole life
//	what failed before it opens  is the error                rejects the promise
//	a bad argument               *result.ArgumentError       the same, in a *result.General
//	the first message            waits for a taker           waits until onReady has returned, or taken it
//	who ends the connection      the program                 the program, an error of onReady, or ctx
//	a program that only sends    calls Conn.Discard          need not
//
// Two more outlive a connection. [Redial] returns a source that dials again when
// its connection is lost. [Observable], for rxgo, dials each time that it is
// observed.
//
// # URLs
//
// A URL has the scheme ws or wss, or http or https, which mean the same. Its
// userinfo is sent as Basic authorization, unless [Options] have an
// Authorization header. A fragment is refused. A ws+unix URL names a Unix
// socket and, behind a colon, the resource: ws+unix:///run/a.sock:/path?query.
// A colon in the socket's path is written %3A. Redirects stay on the socket.
//
// The zone of an IPv6 address, ws://[fe80::1%25eth0]/, says which way to connect and
// is told to nobody: it is not in Host or SNI, not compared with the certificate, and
// not sent to a proxy.
//
// At most 10 redirects are followed, none from TLS to no TLS, each by its header
// alone: whether a body follows does not matter.
//
// Dials do not wait for each other. That "there MUST be no more than one
// connection in a CONNECTING state" to a host is left to the program: one that
// opens many connections at once knows whether their server minds.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
//
// # Options
//
// A bad value is refused before any I/O, with a *[result.ArgumentError] that
// names the field, the value and what is allowed. Values that may be secret are
// not shown.
//
//	field             type                              default (nil, 0, "")               refused
//	Header            http.Header                       none                               keys of the handshake, Host, keys that are no token, control characters
//	Host              string                            the URL's host                     what is no host with or without a port
//	Subprotocols      []string                          none                               what is no token, duplicates
//	HTTPClient        *http.Client                      http.DefaultClient                 a transport that another field cannot reach
//	Logger            *zap.Logger                       silent                             nothing
//	Operators         []stream.Operator                 deflate.New(nil), heartbeat.New(nil); empty: none
//	                                                                                       nil operators, bad options of operators, one extension offered by two
//	SizeLimit         int64, bytes                      16 MiB; negative: none             nothing
//	SuccessCodes      []result.StatusCode               1000 and 1005 alone                codes that may not be sent
//	HandshakeTimeout  time.Duration                     15 s; negative: none               nothing
//	CloseTimeout      time.Duration                     5 s                                negative durations
//	LookAhead         int, bytes                        1 MiB                              negative numbers
//	FragmentSize      int, bytes                        128 KiB; negative: never           nothing
//	TLS               TLSFlags                          0: nothing is forgiven             unknown flags, any flag without wss, or beside InsecureSkipVerify
//	TLSConfig         *tls.Config                       the transport's                    beside a transport that makes TLS itself
//	Proxy             func(*http.Request) (*url.URL, error)
//	                                                    the transport's: the environment   proxies but http, https, socks5, socks5h; with ws+unix
//	DialContext       func(context.Context, string, string) (net.Conn, error)
//	                                                    the transport's                    with ws+unix, or beside a transport that makes TLS itself
//	Post              func(func())                      the connection's own goroutine     nothing
//
// TLS, TLSConfig, Proxy and DialContext are refused with an HTTPClient whose
// Transport is not an *http.Transport.
//
// # Failures
//
// What fails on the way is a *[result.ConnectionFailed]. The error under it
// says in which phase: resolving the name, connecting, asking a proxy, TLS,
// waiting for the answer, reading it. These are told apart by errors.Is and
// errors.As:
//
//	name resolution      *net.DNSError
//	refused connection   *net.OpError
//	certificate          *tls.CertificateVerificationError, and x509's errors in it
//	timeout              context.DeadlineExceeded, a net.Error whose Timeout is true
//	cancelled context    context.Canceled, and the context's cause
//	answer but 101       *HandshakeError with the status code
//	broken 101           *HandshakeError with the status code 101
//	no HTTP at all       *HandshakeError with the status code 0
//	refusal of a proxy   *HandshakeError with Proxy set; of one for SOCKS, *net.OpError
//
// Whatever is wrong behind a status line, the error is a *HandshakeError with the
// status and the header, as far as that came; [HandshakeError.RetryAfter] and
// [HandshakeError.Final] say whether and when to try again. Where TLS is spoken
// on one side alone, the error says so as far as the server lets it be known.
//
// No error text and no log line shows a URL's userinfo, path or query, a value of
// Options.Header, a cookie or a body. The path of a Unix socket is shown. Nothing
// that a server sends reaches the standard logger, unless a RoundTripper that is no
// *http.Transport prints it.
//
// # The opening handshake
//
// github.com/coder/websocket writes and verifies it, net/http's Client follows
// redirects and keeps cookies. What carries the requests is this package's own:
// net/http's Transport is made for connections that are used again and has rules
// for them, by which it refuses answers that a client is to take, loses the
// status of others, and prints what comes unasked.
//
// Hooks that httptrace.WithClientTrace puts into the context are called: GetConn,
// those of package net, TLSHandshakeStart and TLSHandshakeDone, GotConn,
// WroteRequest, GotFirstResponseByte and Got1xxResponse.
//
// # Systems
//
// All of Go's systems that have sockets, with 32 bits or 64. GOOS=js is not
// supported: a browser opens WebSocket connections itself and gives a program
// neither a socket nor the handshake, so that this package does not build there,
// and says why; package stream does, over any connection. GOOS=wasip1 has no
// sockets in Go's own library: give Options.DialContext.
package dial
