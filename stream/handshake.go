package stream

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
)

// Subprotocol returns what the opening handshake agreed on, or "".
func (c *Conn) Subprotocol() string { return c.lasting.subprotocol }

// Header returns the header that the peer sent in the opening handshake: for a
// connection of package dial, that of the server's answer with status 101, after
// redirects. It is nil if Options.Header was empty. Each call returns a new copy, which
// the caller owns.
//
// Keys are in the form of [http.CanonicalHeaderKey], as Get expects them.
func (c *Conn) Header() http.Header { return c.header.header() }

// LocalAddr returns this side's network address, or nil if the transport has
// none. It may be called after the connection's end.
func (c *Conn) LocalAddr() net.Addr {
	if t, ok := c.t.given().(interface{ LocalAddr() net.Addr }); ok {
		return t.LocalAddr()
	}
	return nil
}

// RemoteAddr returns the network address of the other end of the transport, or
// nil if the transport has none. Behind a proxy that is the proxy's. It may be
// called after the connection's end.
func (c *Conn) RemoteAddr() net.Addr {
	if t, ok := c.t.given().(interface{ RemoteAddr() net.Addr }); ok {
		return t.RemoteAddr()
	}
	return nil
}

// TLS returns the state of the transport's TLS: the version, the peer's
// certificates and what else was agreed on. It returns false if the transport is
// no [tls.Conn], nor anything else with a ConnectionState method of that kind. A
// ws:// connection through a proxy that wants TLS shows the TLS to the proxy.
func (c *Conn) TLS() (state tls.ConnectionState, ok bool) {
	t, ok := c.t.given().(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return state, false
	}
	return t.ConnectionState(), true
}

// given returns what New was given.
func (t *transport) given() io.ReadWriteCloser {
	if p, ok := t.rwc.(*patient); ok {
		return p.ReadWriteCloser
	}
	return t.rwc
}
