package stream

import (
	"context"
	"io"
)

// Receive waits for the next message and returns it. The caller owns it and may
// give its memory back with Release.
//
// Receive is exclusive, as a loop over [Conn.All] is, and only while it waits:
// between two calls others may take messages. It suits a request and its answer.
// A loop over All costs less for each message.
//
// The error is io.EOF after a success, the error of the terminal event after any
// other end, [ErrTaken], a *[LostError], or the cause of ctx. When ctx ends,
// nothing is lost: the next call continues where this one stopped, also in the
// middle of a message.
func (c *Conn) Receive(ctx context.Context) (m Message, err error) {
	_, err = c.loop(ctx, nil, func(lent Message, _ error) bool {
		m = lent.Clone()
		return false
	})
	if err == nil && m.Type == 0 {
		err = io.EOF
	}
	return m, err
}
