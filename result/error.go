package result

import (
	"fmt"
	"strconv"
)

// A CloseError reports that the peer's Close frame carried a code that does
// not count as success.
type CloseError struct {
	Code   StatusCode
	Reason string // at most 123 bytes of UTF-8
}

// Error gives the code and the reason, quoted.
func (e *CloseError) Error() string {
	return fmt.Sprintf("wsflow: closed with code %d, reason %s", e.Code, strconv.Quote(e.Reason))
}

// ConnectionFailed reports a connection that could not be made, or that ended
// without a Close frame from the peer. It stands where other libraries report
// the code 1006.
type ConnectionFailed struct {
	Err error // the cause, never nil
}

// Error gives the cause.
func (e *ConnectionFailed) Error() string { return "wsflow: connection failed: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ConnectionFailed) Unwrap() error { return e.Err }

// A General error ended or prevented a connection for a reason that is neither
// the peer's Close nor the failure of the connection: a bad argument, or a
// callback that panicked with a value that is no error.
type General struct {
	Err   error // never nil
	Value any   // what a callback panicked with, where that is no error
}

// Error gives the cause.
func (e *General) Error() string { return "wsflow: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *General) Unwrap() error { return e.Err }

// An ArgumentError reports an argument or an option that cannot be used. It is
// found before any I/O.
type ArgumentError struct {
	Name    string // of the argument or field, such as "dial.Options.Subprotocols[1]"
	Value   any    // what was given; nil where it must not be shown
	Allowed string // what is allowed, such as "from 8 to 15"
}

// Error gives the name, the value and what is allowed.
func (e *ArgumentError) Error() string {
	if s, ok := e.Value.(string); ok {
		return fmt.Sprintf("%s is %s: allowed is %s", e.Name, strconv.Quote(s), e.Allowed)
	}
	if e.Value == nil {
		return fmt.Sprintf("%s: allowed is %s", e.Name, e.Allowed)
	}
	return fmt.Sprintf("%s is %v: allowed is %s", e.Name, e.Value, e.Allowed)
}

// A ProtocolError reports what the peer did that RFC 6455 or an extension
// forbids. [ConnectionFailed] wraps it.
type ProtocolError struct {
	Code StatusCode // what a Close frame tells the peer: 1002, 1007 or 1009
	What string     // what was wrong
}

// Error gives the code and what was wrong.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("protocol error (%d): %s", e.Code, e.What)
}
