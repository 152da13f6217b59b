package dial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Dial connects to a WebSocket URL and returns the open connection. ctx bounds
// the dialing alone: the connection lives on when it ends, until the peer closes
// it or the program calls [stream.Conn.Shutdown], Close or CloseNow.
//
// Messages wait until somebody takes them. A program that only sends calls
// [stream.Conn.Discard]. [Connect] is the same for programs made of callbacks.
//
// An argument that cannot be used is found before any I/O and gives a
// *[result.ArgumentError]. Whatever fails later gives a
// *[result.ConnectionFailed]; errors.Is and errors.As find the cause in it, see
// [HandshakeError]. Two faults of arguments show only on the way: a proxy of an
// unknown scheme, which gives a *[result.ArgumentError], and an operator that
// does not attach, which gives its own error.
func Dial(ctx context.Context, url string, opts *Options) (*stream.Conn, error) {
	d, err := newDialer(url, opts)
	if err == nil {
		err = checkContext(ctx)
	}
	if err != nil {
		return nil, err
	}
	return d.dial(ctx)
}

// A dialer makes one connection.
type dialer struct {
	target    target
	opts      Options // the caller's, with the defaults in place
	transport http.RoundTripper
	offer     offer
	handshake handshake
	post      func(func()) // where callbacks run, nil for the connection's own goroutine
}

// newDialer returns an error for every argument that cannot be used.
func newDialer(url string, opts *Options) (*dialer, error) {
	d := &dialer{}
	if opts != nil {
		d.opts = *opts
	}
	d.post = d.opts.Post
	d.transport = d.httpClient().Transport
	if d.transport == nil {
		d.transport = http.DefaultTransport
	}
	var err error
	if d.target, err = parseTarget(url); err != nil {
		return nil, err
	}
	if err := d.opts.validate(); err != nil {
		return nil, err
	}
	for key, values := range d.opts.Header {
		if len(values) > 0 && http.CanonicalHeaderKey(key) == "Authorization" {
			d.target.url.User = nil // net/http looks for the key in this case alone
		}
	}
	if err := d.validateTransport(); err != nil {
		return nil, err
	}
	if d.opts.Operators == nil {
		d.offer, err = defaultOffer()
	} else {
		d.offer, err = newOffer(d.opts.Operators)
	}
	if err != nil {
		return nil, err
	}
	d.handshake.carrier, d.handshake.offer = d.carrier(), d.offer.header
	return d, nil
}

func (d *dialer) dial(ctx context.Context) (*stream.Conn, error) {
	e, err := d.connect(ctx)
	if err != nil {
		return nil, failure(err)
	}
	conn, err := stream.New(e.rwc, stream.Client, d.streamOptions(e))
	if err != nil {
		d.handshake.close()
		return nil, err
	}
	return conn, nil
}

// failure tells bad arguments, some of which only show on the way, from
// failed connections.
func failure(err error) error {
	if arg := new(result.ArgumentError); errors.As(err, &arg) {
		return arg
	}
	return &result.ConnectionFailed{Err: err}
}

func (d *dialer) streamOptions(e established) *stream.Options {
	o := &stream.Options{
		Operators:    e.operators,
		Subprotocol:  e.subprotocol,
		Header:       d.handshake.answer,
		Buffered:     e.buffered,
		SizeLimit:    d.opts.SizeLimit,
		SuccessCodes: d.opts.SuccessCodes,
		CloseTimeout: d.opts.CloseTimeout,
		LookAhead:    d.opts.LookAhead,
		FragmentSize: d.opts.FragmentSize,
		Post:         d.post,
	}
	if d.opts.Logger != nil {
		o.Logger = d.opts.Logger.With(zap.String("host", d.target.url.Host))
	}
	return o
}

// An established is a connection after its handshake.
type established struct {
	rwc         io.ReadWriteCloser
	buffered    []byte // to be read before rwc
	operators   []stream.Operator
	subprotocol string
}

// connect does everything from name resolution to the end of the handshake.
func (d *dialer) connect(ctx context.Context) (established, error) {
	ctx, stop := d.bound(ctx)
	defer stop()
	conn, resp, err := websocket.Dial(ctx, d.target.url.String(), &websocket.DialOptions{
		HTTPClient:   d.client(),
		HTTPHeader:   d.opts.Header,
		Host:         d.opts.Host,
		Subprotocols: d.opts.Subprotocols,
	})
	if conn != nil {
		conn.CloseNow() // or what it holds is never collected
	}
	var e established
	if err != nil {
		err = d.refused(ctx, resp, err)
	} else if e, err = d.agree(); err == nil && ctx.Err() != nil {
		// A cancelled request may still return a 101, on a closed connection.
		err = ended(ctx, answering)
	}
	if err != nil {
		d.handshake.close()
		return established{}, err
	}
	return e, nil
}

// bound returns a context that ends with the handshake's timeout.
func (d *dialer) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := d.opts.HandshakeTimeout
	if timeout == 0 {
		timeout = defaultHandshakeTimeout
	}
	if t := d.httpClient().Timeout; t > 0 && (timeout < 0 || t < timeout) {
		timeout = t
	}
	if timeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, timeout, lapsed{"handshake's timeout", timeout})
}

// refused says why the library returned no connection. A *url.Error is stripped
// of its URL, which may hold a token, the library's own error of its prefix.
func (d *dialer) refused(ctx context.Context, resp *http.Response, err error) error {
	var failed *url.Error
	switch {
	case errors.As(err, &failed):
		cause := failed.Err
		if d.relaxable() {
			cause = withHint(cause)
		}
		return d.explain(ctx, cause)
	case resp == nil:
		return err
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return d.refusal(ctx, resp)
	}
	if d.handshake.answer != nil {
		resp.Header = d.handshake.answer
	}
	return newHandshakeError(resp, nil, errors.Unwrap(err))
}

var errWantsTLS = errors.New("its text speaks of TLS: this port may want a wss:// URL")

// refusal tells an answer that is no 101. What servers say to HTTP on a port
// for HTTPS is a 400, and names what was expected.
func (d *dialer) refusal(ctx context.Context, resp *http.Response) error {
	var body []byte
	if d.handshake.kept != nil {
		body = readBody(ctx, d.handshake.kept)
	}
	var err error
	if resp.StatusCode == http.StatusBadRequest && resp.Request.URL.Scheme == "http" &&
		(bytes.Contains(body, []byte("HTTPS")) || bytes.Contains(body, []byte("SSL"))) {
		err = errWantsTLS
	}
	return newHandshakeError(resp, body, err)
}

// agree verifies what the library does not, and takes the connection.
func (d *dialer) agree() (established, error) {
	header := d.handshake.answer
	broken := func(err error) error {
		return newHandshakeError(&http.Response{StatusCode: http.StatusSwitchingProtocols, Header: header}, nil, err)
	}
	if err := upgraded(header); err != nil {
		return established{}, broken(err)
	}
	subprotocol, err := d.chosen(header)
	if err != nil {
		return established{}, broken(err)
	}
	operators, err := d.offer.negotiate(header[fieldExtensions])
	if err != nil {
		return established{}, broken(err)
	}
	rwc, buffered := d.handshake.open()
	return established{rwc: rwc, buffered: buffered, operators: operators, subprotocol: subprotocol}, nil
}

// upgraded: the client MUST fail the connection if "the |Upgrade| header field
// contains a value that is not an ASCII case-insensitive match for the value
// "websocket"". The library looks for it in a list of values.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func upgraded(header http.Header) error {
	if all := header.Values("Upgrade"); len(all) != 1 || !strings.EqualFold(all[0], "websocket") {
		return fmt.Errorf("the answer's Upgrade is %q, not websocket alone", all)
	}
	return nil
}

// chosen returns the subprotocol of the answer. The library compares without
// case, and looks at the first of several headers only.
//
// "If the response includes a |Sec-WebSocket-Protocol| header field and this
// header field indicates the use of a subprotocol that was not present in the
// client's handshake [...], the client MUST _Fail the WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-4.1
func (d *dialer) chosen(header http.Header) (string, error) {
	for _, field := range [...]string{fieldAccept, fieldProtocol} {
		if n := len(header[field]); n > 1 {
			return "", fmt.Errorf("the answer has %d %s headers", n, spelling(field))
		}
	}
	if header[fieldProtocol] == nil {
		return "", nil
	}
	name := header.Get(fieldProtocol)
	if !slices.Contains(d.opts.Subprotocols, name) {
		return "", fmt.Errorf("the server chose the subprotocol %q, which was not offered", name)
	}
	return name, nil
}
