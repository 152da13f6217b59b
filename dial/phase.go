package dial

import (
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

// trace returns the hooks that keep the phase while a carrier works.
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
