package redial

import (
	"errors"
	"fmt"
	"net"
)

// ErrGap is what Send returns between two connections of a source: the message was
// not sent, and whether it still makes sense on the next connection is for the
// program to say. [Source.Ready] waits for that connection.
var ErrGap = errors.New("wsflow: there is no connection at present; the next one is being made")

// An Error ends a source that gave up: Options.Retry did not want another dial.
// errors.Is and errors.As look into all its causes, the last one first.
type Error struct {
	Attempts int     // dials since the last connection was open, or since the source was made
	Causes   []error // the failures in this time, the last one first; 8 at most
}

// Error gives the number of dials and the last cause.
func (e *Error) Error() string {
	text := "wsflow: gave up"
	switch {
	case e.Attempts == 1:
		text += " after 1 dial"
	case e.Attempts > 1:
		text += fmt.Sprintf(" after %d dials", e.Attempts)
	}
	if len(e.Causes) > 0 {
		text += ": " + e.Causes[0].Error()
	}
	return text
}

// Unwrap returns Causes.
func (e *Error) Unwrap() []error { return e.Causes }

// errOwnClose stands for the end of a connection that the program closed with
// success, but not through its source.
var errOwnClose = fmt.Errorf("wsflow: the program closed the connection, but not the source: %w", net.ErrClosed)

// closedError is what whoever asks for more than the end of a source gets: it is
// net.ErrClosed, and what the source ended with.
func closedError(why error) error {
	if why == nil {
		return fmt.Errorf("wsflow: the source has ended: %w", net.ErrClosed)
	}
	return fmt.Errorf("wsflow: the source has ended: %w (%w)", net.ErrClosed, why)
}
