package redial

import (
	"context"
	"errors"
	"net"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/stream"
)

// Send sends one message on the open connection: see [stream.Conn.Send]. Before the
// first connection it waits for that. Later, while there is none, it returns [ErrGap]
// at once: what made sense on the last connection may do harm on the next one. It
// never waits there, so that a loop body may call it that has to return before the
// next connection is made.
//
// Once the source has begun to end, the error is net.ErrClosed.
func (s *Source) Send(ctx context.Context, m stream.Message) error {
	return s.sending(ctx, func(conn *stream.Conn) error { return conn.Send(ctx, m) })
}

// SendText sends a text message, which must be valid UTF-8. See [Source.Send].
func (s *Source) SendText(ctx context.Context, text string) error {
	return s.sending(ctx, func(conn *stream.Conn) error { return conn.SendText(ctx, text) })
}

// SendBinary sends a binary message. See [Source.Send].
func (s *Source) SendBinary(ctx context.Context, data []byte) error {
	return s.sending(ctx, func(conn *stream.Conn) error { return conn.SendBinary(ctx, data) })
}

// sending sends on the open connection, as Send says.
func (s *Source) sending(ctx context.Context, send func(*stream.Conn) error) error {
	conn := s.open.Load()
	if conn == nil {
		var err error
		if conn, err = s.first(ctx); err != nil {
			return err
		}
	}
	err := send(conn)
	if errors.Is(err, net.ErrClosed) {
		return s.refusal()
	}
	return err
}

// Conn returns the open connection, nil while there is none.
func (s *Source) Conn() *stream.Conn { return s.open.Load() }

// Ready waits until a connection is open, and returns it. It must not be called where
// messages are taken, as in the body of a loop over All: the next connection is made
// when the messages of the last one have been taken.
//
// The error is the cause of ctx, or net.ErrClosed once the source has begun to end.
func (s *Source) Ready(ctx context.Context) (*stream.Conn, error) {
	if err := check.Context(ctx); err != nil {
		return nil, err
	}
	for {
		conn, turned, err := s.look(false)
		if err != nil || conn != nil && !over(conn) {
			return conn, err
		}
		if err := wait(ctx, turned); err != nil {
			return nil, err
		}
	}
}

// first returns the open connection, which it waits for if there has never been one.
func (s *Source) first(ctx context.Context) (*stream.Conn, error) {
	if err := check.Context(ctx); err != nil {
		return nil, err
	}
	for {
		conn, turned, err := s.look(true)
		if err != nil || conn != nil {
			return conn, err
		}
		if err := wait(ctx, turned); err != nil {
			return nil, err
		}
	}
}

// look returns the open connection, why there will be none, or what tells that there
// may be one. For one who does not wait in a gap, that is such a reason.
func (s *Source) look(gap bool) (conn *stream.Conn, turned <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.cycle
	switch {
	case c.phase == phaseEnded || c.asked != nil:
		return nil, nil, s.closedError()
	case c.phase == phaseOpen:
		conn = s.conn
	case gap && c.epoch > 0:
		return nil, nil, ErrGap
	}
	if s.turned == nil {
		s.turned = make(chan struct{})
	}
	return conn, s.turned, nil
}

// refusal is what is returned where the connection is closed.
func (s *Source) refusal() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cycle.phase == phaseEnded || s.cycle.asked != nil {
		return s.closedError()
	}
	return ErrGap
}

// closedError is net.ErrClosed and what the source ends with, as far as that is known,
// under mu.
func (s *Source) closedError() error {
	if s.cycle.phase == phaseEnded {
		return closedError(s.cycle.status.Err)
	}
	return closedError(s.cycle.asked.status.Err)
}

// over reports that the terminal event of the connection is there.
func over(conn *stream.Conn) bool {
	_, ok := conn.Result().Status()
	return ok
}

// wait waits for the phase to change.
func wait(ctx context.Context, turned <-chan struct{}) error {
	select {
	case <-turned:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
