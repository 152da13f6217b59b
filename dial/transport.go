package dial

import (
	"fmt"
	"net/http"
)

// carrier returns what is to carry the requests: an exchange in the place of an
// *http.Transport, any other RoundTripper as it is, but for its hooks.
func (d *dialer) carrier() http.RoundTripper {
	t, ok := d.transport.(*http.Transport)
	if !ok {
		return foreign{d.transport, &d.handshake.progress}
	}
	return &exchange{newRoute(t, &d.opts, d.target.socket, &d.handshake.progress)}
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
	case d.opts.TLS != 0 && tlsConfig(t, &d.opts).InsecureSkipVerify:
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
