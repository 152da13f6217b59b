package stream

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// A closing is what is known of a connection's end, and what follows from it. It
// does no I/O, takes no lock, starts no goroutine and reads no clock: the shell in
// close.go tells it what happened and does what it says.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1
type closing struct {
	phase  phase
	status result.Status       // under construction; final from phaseSettled on
	cause  error               // the first failure of the transport
	own    error               // the program's failure, which the connection ends with in any case
	asked  result.StatusCode   // what the program gave to Close, 0 if it did not call it
	reason string              // of our Close frame
	good   []result.StatusCode // codes that count as success beside 1000 and 1005; never changes
}

// A phase is how far a connection has come to its end. Its Close frame passes
// through three of them: a Close that waits for what was accepted before it is
// not in the outbox yet, one in the outbox has not reached the kernel, and one
// that cannot be written any more leaves the peer's last words to read.
type phase uint8

const (
	phaseOpen      phase = iota
	phaseFlushing        // the program closes: what it sent before goes to the outbox
	phaseQueued          // our Close frame is in the outbox
	phaseSent            // our Close frame was written; the peer's is waited for
	phaseBroken          // nothing can be written; the peer's Close may still come
	phaseReceived        // the peer's Close frame came; ours is in the outbox
	phaseSettled         // failed: the terminal event is there, our Close frame in the outbox
	phaseLingering       // the terminal event is there, and both sides end the transport
	phaseGone            // the terminal event is there, and the transport is closed
)

// A closeEvent is what happened.
type closeEvent struct {
	kind   closeKind
	code   result.StatusCode // of a Close frame: the peer's, or ours
	reason string
	err    error
}

type closeKind uint8

const (
	onClose      closeKind = iota // the program called Close, with code and reason, or Fail: err
	onFlushed                     // what was accepted before Close is in the outbox
	onPeerClose                   // the peer's Close frame came, with code and reason
	onWritten                     // our Close frame reached the kernel
	onReadEnd                     // nothing more can be read, or is worth reading: err
	onWriteError                  // nothing more can be written: err
	onDeadline                    // the time is up: err
	onCloseNow                    // the program gives the connection up: err
	onSilence                     // an operator gives the peer up: err
	onViolation                   // the peer broke the protocol: err, and our code and reason
	onOperator                    // an operator failed: err, and our code
	onProgram                     // a callback panicked: err, and our code
)

// actions are what the shell is to do, in this order.
type actions uint16

const (
	doBegin  actions = 1 << iota // accept no more messages
	doTime                       // start the deadline
	doBreak                      // drop the outbox
	doQueue                      // queue a Close frame: status.Sent and reason
	doSettle                     // announce the status
	doQuit                       // give up what was not taken yet
	doFlush                      // send what was accepted, tell that it is done, then read on
	doReadOn                     // read wherever no consumer does
	doLinger                     // wait for the end of the transport
	doShut                       // close the transport, and stop the deadline
	doCut                        // close it at once, whatever is on its way
)

// on takes in an event and returns what is to be done. It is the only place in
// which the phase changes.
func (m *closing) on(e closeEvent) actions {
	before := m.phase
	do := m.step(e)
	if before != phaseOpen || m.phase == phaseOpen {
		return do
	}
	if m.phase == phaseGone {
		return do | doBegin
	}
	return do | doBegin | doTime
}

func (m *closing) step(e closeEvent) actions {
	switch e.kind {
	case onClose:
		if m.phase == phaseOpen {
			m.asked, m.reason, m.own = e.code, e.reason, e.err
			return m.to(phaseFlushing, doFlush)
		}
	case onFlushed:
		if m.phase == phaseFlushing {
			m.status.Sent = m.asked
			return m.to(phaseQueued, doQueue)
		}
	case onPeerClose:
		return m.peerClosed(e)
	case onWritten:
		return m.written()
	case onReadEnd:
		return m.readEnded(e.err)
	case onWriteError:
		return m.broke(e.err)
	case onDeadline, onSilence:
		return m.ranOut(e)
	case onCloseNow:
		return m.givenUp(e.err)
	case onViolation, onOperator, onProgram:
		return m.failed(e)
	}
	return 0
}

func (m *closing) to(p phase, do actions) actions {
	m.phase = p
	return do
}

// peerClosed takes the peer's Close frame.
//
// "If an endpoint receives a Close frame and did not previously send a Close
// frame, the endpoint MUST send a Close frame in response. (When sending a Close
// frame in response, the endpoint typically echos the status code it received.)"
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func (m *closing) peerClosed(e closeEvent) actions {
	if m.phase >= phaseReceived {
		return 0
	}
	s := &m.status
	s.Received, s.Code, s.Reason = e.code, e.code, e.reason
	if s.Sent == 0 {
		s.ByPeer, s.Sent, m.reason = true, e.code, ""
	}
	switch m.phase {
	case phaseOpen, phaseFlushing:
		return m.to(phaseReceived, doQueue)
	case phaseQueued:
		return m.to(phaseReceived, 0)
	}
	return m.settle(nil, phaseLingering, doLinger)
}

// written is told that our Close frame is with the kernel.
//
// "After both sending and receiving a Close message, an endpoint considers the
// WebSocket connection closed and MUST close the underlying TCP connection."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func (m *closing) written() actions {
	switch m.phase {
	case phaseQueued:
		return m.to(phaseSent, 0)
	case phaseReceived:
		return m.settle(nil, phaseLingering, doLinger)
	case phaseSettled:
		return m.to(phaseLingering, doLinger)
	}
	return 0
}

// readEnded is told that nothing more comes. Where the peer's Close has come or
// is not waited for, our own may still be on its way to a peer that reads on.
//
// "If at any point the underlying transport layer connection is unexpectedly
// lost, the client MUST _Fail the WebSocket Connection_."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.2.1
func (m *closing) readEnded(err error) actions {
	switch m.phase {
	case phaseReceived, phaseSettled, phaseGone:
		return 0
	case phaseLingering:
		return m.to(phaseGone, doShut)
	}
	return m.settle(m.lost(err), phaseGone, doCut)
}

// broke is told that nothing more can be written. The peer's last words may
// still be on their way, so reading goes on until the deadline.
func (m *closing) broke(err error) actions {
	switch m.phase {
	case phaseOpen:
		m.cause = err
		return m.to(phaseBroken, doBreak|doReadOn)
	case phaseFlushing, phaseQueued, phaseSent: // It is read on already.
		m.cause = err
		return m.to(phaseBroken, doBreak)
	case phaseReceived:
		return m.settle(nil, phaseLingering, doBreak|doLinger)
	case phaseSettled:
		return m.to(phaseLingering, doBreak|doLinger)
	}
	return doBreak
}

// ranOut is told that a time is up: the deadline of the closing handshake, or an
// operator's for the peer to show that it lives. The latter counts only while the
// former does not run.
func (m *closing) ranOut(e closeEvent) actions {
	switch {
	case m.phase == phaseGone, e.kind == onSilence && m.phase != phaseOpen:
		return 0
	case m.phase >= phaseSettled:
		return m.to(phaseGone, doCut)
	}
	return m.settle(m.lost(e.err), phaseGone, doCut)
}

// givenUp is told that the program wants no more of the connection.
func (m *closing) givenUp(cause error) actions {
	switch {
	case m.phase == phaseGone:
		return doQuit
	case m.phase >= phaseSettled:
		return m.to(phaseGone, doQuit|doCut)
	}
	var err error
	if m.status.Received == 0 {
		err = &result.ConnectionFailed{Err: cause}
	}
	return m.settle(err, phaseGone, doQuit|doCut)
}

// failed ends a connection that cannot go on. The peer is told why, unless it was
// told something else before, and has until the deadline to read it. Its own Close
// is not waited for.
//
// "An endpoint MUST NOT continue to attempt to process data (including a
// responding Close frame) from the remote endpoint after being instructed to
// _Fail the WebSocket Connection_."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.7
func (m *closing) failed(e closeEvent) actions {
	if m.phase >= phaseSettled {
		return 0
	}
	err := error(&result.ConnectionFailed{Err: e.err})
	switch {
	case e.kind == onProgram:
		m.own = cmp.Or(m.own, e.err)
	case e.kind == onViolation && m.phase == phaseReceived:
		err = nil // It is a fault of the messages before the Close, and the stream's alone.
	}
	if s := &m.status; s.Sent == 0 {
		s.Sent, m.reason = e.code, cutReason(e.reason)
	}
	switch m.phase {
	case phaseOpen, phaseFlushing:
		return m.settle(err, phaseSettled, doQueue)
	case phaseQueued, phaseReceived:
		return m.settle(err, phaseSettled, 0)
	}
	return m.settle(err, phaseLingering, doLinger)
}

// settle makes the status final: with the program's own failure, with err, or with
// the peer's Close if there is neither.
//
// "If this Close control frame contains no status code, _The WebSocket Connection
// Close Code_ is considered to be 1005. If _The WebSocket Connection is Closed_
// and no Close control frame was received by the endpoint [...], _The WebSocket
// Connection Close Code_ is considered to be 1006."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.5
func (m *closing) settle(err error, p phase, do actions) actions {
	s := &m.status
	if s.Received == 0 {
		s.Code = result.StatusAbnormalClosure
	} else if err == nil && !m.success() {
		err = &result.CloseError{Code: s.Code, Reason: s.Reason}
	}
	s.Err = cmp.Or(m.own, err)
	return m.to(p, do|doSettle)
}

// success reports whether the peer's Close is one: it has no code, 1000, a code
// that the options name, or the one that the program gave to Close.
func (m *closing) success() bool {
	switch m.status.Code {
	case result.StatusNormalClosure, result.StatusNoStatusRcvd, m.asked:
		return true
	}
	return slices.Contains(m.good, m.status.Code)
}

// lost is the error of a connection whose transport is of no use any more; nil if
// the peer's Close has come. What broke first is the cause.
func (m *closing) lost(err error) error {
	if m.status.Received != 0 {
		return nil
	}
	return &result.ConnectionFailed{Err: cmp.Or(m.cause, err)}
}

// why returns the error that the connection ends with, or that keeps it from
// going on; nil if there is none, or none yet.
func (m *closing) why() error { return cmp.Or(m.status.Err, m.own, m.cause) }

// cutReason shortens a text to what a Close frame holds, between runes.
func cutReason(s string) string {
	const limit = wire.MaxControl - 2
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= limit {
		return s
	}
	n := limit
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
