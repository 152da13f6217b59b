// Package result says how a WebSocket connection ended.
//
//	status, err := promise.Wait(ctx) // the promise of dial.Connect, or of a connection's Result
//	var closed *result.CloseError
//	switch {
//	case err == nil:
//		fmt.Println("a good end:", status)
//	case errors.As(err, &closed):
//		fmt.Println("the peer closed with", closed.Code)
//	case errors.As(err, new(*result.ConnectionFailed)):
//		fmt.Println("no Close came:", err)
//	}
//
// Every connection has exactly one terminal event: a [Status], the close code
// and reason, which is either a success or carries an error. It is a success if
// the peer's Close has the code 1000, no code at all, or the one that the program
// gave to Close.
//
//   - [*CloseError]: the peer closed with any other code.
//   - [*ConnectionFailed]: no Close frame came from the peer. The connection
//     could not be made, was cut, timed out, or was given up because the peer
//     broke the protocol.
//   - The error itself that a callback panicked with, that the onReady of
//     dial.Connect returned, or that the program gave to Fail.
//   - [*General]: anything else, such as a bad argument of dial.Connect.
//
// A function that returns an error returns a bad argument as the
// [*ArgumentError] itself, before any I/O.
//
// A [Promise] holds the event and hands it to whoever asks, before or after it
// happened.
package result

import (
	"fmt"
	"strconv"
)

// A StatusCode is a close code of RFC 6455 section 7.4. It is an int, so that
// a number out of range is reported and not cut to size.
type StatusCode int

// The close codes that have a meaning for all.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4.1
// https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
const (
	StatusNormalClosure      StatusCode = 1000
	StatusGoingAway          StatusCode = 1001
	StatusProtocolError      StatusCode = 1002
	StatusUnsupportedData    StatusCode = 1003
	StatusNoStatusRcvd       StatusCode = 1005 // the peer's Close carried no code; never sent
	StatusAbnormalClosure    StatusCode = 1006 // there was no Close from the peer; never sent
	StatusInvalidPayload     StatusCode = 1007
	StatusPolicyViolation    StatusCode = 1008
	StatusMessageTooBig      StatusCode = 1009
	StatusMandatoryExtension StatusCode = 1010 // the client wants an extension that the server did not agree to
	StatusInternalError      StatusCode = 1011
	StatusServiceRestart     StatusCode = 1012
	StatusTryAgainLater      StatusCode = 1013
	StatusBadGateway         StatusCode = 1014
)

// Sendable reports whether an endpoint may put the code in a Close frame:
// 1000 to 1003, 1007 to 1014, and 3000 to 4999.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4.2
func (c StatusCode) Sendable() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014, c >= 3000 && c <= 4999:
		return true
	}
	return false
}

// A Status is the final state of a connection. It is a plain value.
type Status struct {
	// Code is the connection's close code: the one of the peer's Close frame,
	// 1005 where that frame had none, and 1006 where there was no such frame.
	Code StatusCode
	// Reason is the reason of the peer's Close frame, often empty.
	Reason string

	// ByPeer reports that the peer began the closing handshake. It is false
	// where this side began it, and where nobody did.
	ByPeer bool
	// Sent is the code of the Close frame that this side sent, or had ready to
	// send when the connection ended: 1005 if it had none, 0 if there was no
	// such frame.
	Sent StatusCode
	// Received is the code of the Close frame that the peer sent: 1005 if it
	// had none, 0 if no Close frame came.
	Received StatusCode

	// Err is nil after a success; otherwise a *CloseError, a *ConnectionFailed
	// or the error that ended the connection from this side.
	Err error
}

// String returns the code and the reason, such as `1000 "done"`.
func (s Status) String() string {
	return fmt.Sprintf("%d %s", s.Code, strconv.Quote(s.Reason))
}
