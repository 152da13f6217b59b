package mux

import (
	"context"
	"fmt"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Call sends a request and returns its answer, which the caller owns: the first
// message for which Options.Topic returns this key from then on. Topics do not
// get it. No two calls may wait with one key; a key for which one waits already is a
// *result.ArgumentError, as is a key that does not equal itself.
//
// It waits for the first connection, if need be. It fails when the connection that
// the request went out on ends, between two connections, and when ctx ends, then
// with its cause. An answer that comes later is dropped. The body of a loop over a
// relay of the mux must not wait for it: the answer comes behind the message in hand.
func (m *Mux[K]) Call(ctx context.Context, key K, msg stream.Message) (stream.Message, error) {
	if err := check.Context(ctx); err != nil {
		return stream.Message{}, err
	}
	if err := checkKey(key, key); err != nil {
		return stream.Message{}, err
	}
	m.begin()
	s, err := m.present(ctx)
	if err != nil {
		return stream.Message{}, err
	}
	c, err := m.calls.add(key, s.Done())
	if err != nil {
		return stream.Message{}, err
	}
	defer m.calls.remove(key, c)
	if err := s.Send(ctx, msg); err != nil {
		return stream.Message{}, err
	}
	select {
	case a := <-c.settled:
		return a.m, a.err
	case <-ctx.Done():
		return stream.Message{}, context.Cause(ctx)
	}
}

// present returns the last session, and waits for the first one.
func (m *Mux[K]) present(ctx context.Context) (session, error) {
	select {
	case <-m.opened:
	case <-m.ctx.Done(): // the mux has ended: there is nothing to wait for
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session == nil {
		return nil, lost(*m.status)
	}
	return m.session, nil
}

// lost is what becomes of calls whose connection ended with a status.
func lost(st result.Status) error {
	if st.Err != nil {
		return fmt.Errorf("wsflow: the connection ended before the answer came: %w", st.Err)
	}
	return fmt.Errorf("wsflow: the connection ended before the answer came: %v", st)
}
