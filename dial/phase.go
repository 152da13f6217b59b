package dial

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// A phase is how far an opening handshake has come. Its text says what was
// being done, in front of the error that ended it.
type phase int32

const (
	starting phase = iota
	resolving
	connecting
	tunneling
	securing
	asking
	waiting
	answering
)

func (p phase) String() string {
	return [...]string{
		starting:   "preparing the opening handshake",
		resolving:  "resolving the host's name",
		connecting: "connecting",
		tunneling:  "asking the proxy for a tunnel",
		securing:   "making the TLS connection",
		asking:     "sending the opening handshake",
		waiting:    "waiting for the server's answer",
		answering:  "reading the server's answer",
	}[p]
}

// A progress keeps the phase. Its methods may be called from many goroutines.
type progress struct{ now atomic.Int32 }

func (p *progress) enter(now phase) { p.now.Store(int32(now)) }

// leave enters the next phase, unless a later one has been entered.
func (p *progress) leave(now, next phase) {
	p.now.CompareAndSwap(int32(now), int32(next))
}

func (p *progress) phase() phase { return phase(p.now.Load()) }

// traced returns a context whose hooks keep the phase while somebody else works:
// a caller's RoundTripper, or the resolver.
func (p *progress) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, p.trace())
}

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:           func(string) { p.enter(connecting) },
		DNSStart:          func(httptrace.DNSStartInfo) { p.enter(resolving) },
		ConnectStart:      func(string, string) { p.enter(connecting) },
		TLSHandshakeStart: func() { p.enter(securing) },
		GotConn:           func(httptrace.GotConnInfo) { p.enter(asking) },
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				p.leave(asking, waiting)
			}
		},
		GotFirstResponseByte: func() { p.enter(answering) },
	}
}

// A foreign is a caller's own RoundTripper, whose phase is known by its hooks.
type foreign struct {
	http.RoundTripper
	progress *progress
}

func (f foreign) RoundTrip(req *http.Request) (*http.Response, error) {
	return f.RoundTripper.RoundTrip(req.WithContext(f.progress.traced(req.Context())))
}

// A watch is told how far an exchange has come. It keeps the phase, and calls the
// hooks of whoever traces the request. Hooks of our own would do for both, but
// each is a closure, and most dials are traced by nobody.
type watch struct {
	progress *progress
	hooks    *httptrace.ClientTrace // the caller's, or one that is empty
}

var noHooks httptrace.ClientTrace

// watched returns the watch for a request with this context.
func (p *progress) watched(ctx context.Context) watch {
	w := watch{progress: p, hooks: httptrace.ContextClientTrace(ctx)}
	if w.hooks == nil {
		w.hooks = &noHooks
	}
	return w
}

func (w watch) connecting(to host) {
	w.progress.enter(connecting)
	if w.hooks.GetConn != nil {
		w.hooks.GetConn(to.addr())
	}
}

func (w watch) connected(conn net.Conn) {
	w.progress.enter(asking)
	if w.hooks.GotConn != nil {
		w.hooks.GotConn(httptrace.GotConnInfo{Conn: conn})
	}
}

func (w watch) securing() {
	w.progress.enter(securing)
	if w.hooks.TLSHandshakeStart != nil {
		w.hooks.TLSHandshakeStart()
	}
}

func (w watch) secured(conn *tls.Conn, err error) {
	if w.hooks.TLSHandshakeDone != nil {
		w.hooks.TLSHandshakeDone(conn.ConnectionState(), err)
	}
}

func (w watch) asked(err error) {
	if err == nil {
		w.progress.enter(waiting)
	}
	if w.hooks.WroteRequest != nil {
		w.hooks.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
}

func (w watch) answered() {
	w.progress.enter(answering)
	if w.hooks.GotFirstResponseByte != nil {
		w.hooks.GotFirstResponseByte()
	}
}

// interim is told of an answer before the answer. Its error ends the exchange.
func (w watch) interim(resp *http.Response) error {
	if w.hooks.Got1xxResponse == nil {
		return nil
	}
	return w.hooks.Got1xxResponse(resp.StatusCode, map[string][]string(resp.Header))
}
