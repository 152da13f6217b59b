package stream

import (
	"cmp"
	"context"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// Send sends one message. It waits for its turn and, while 192 KiB of frames
// wait for the network, for room; it returns when the message was accepted,
// which means neither that it was written nor that it was delivered: see
// [Conn.Flush]. Data is copied and stays the caller's.
//
// The error is a *result.ArgumentError for a message that cannot be sent, the
// cause of ctx if it ends first, that of an operator that refused, or one that
// is net.ErrClosed once the connection has begun to close. In each case nothing
// of the message was sent, unless the connection failed while it was on its way
// in fragments.
//
// Whoever finds the wire free writes. On a transport that is no plain socket, a
// Send with a context that never ends does that itself, and waits for the
// network with it, also on behalf of those that send meanwhile.
func (c *Conn) Send(ctx context.Context, m Message) error {
	if err := cmp.Or(checkContext(ctx), m.check()); err != nil {
		return err
	}
	w := &c.w
	if err := w.lock(ctx); err != nil {
		return err
	}
	err := w.admit(ctx)
	if err == nil {
		err = w.message(m)
	}
	w.unlock()
	w.send(ctx)
	return err
}

// SendText sends a text message, which must be valid UTF-8. See [Conn.Send].
func (c *Conn) SendText(ctx context.Context, text string) error {
	// No one writes to the payload of an outbound message.
	return c.Send(ctx, Message{Type: Text, Data: unsafe.Slice(unsafe.StringData(text), len(text))})
}

// SendBinary sends a binary message. See [Conn.Send].
func (c *Conn) SendBinary(ctx context.Context, data []byte) error {
	return c.Send(ctx, Message{Type: Binary, Data: data})
}

// check reports whether a message may be sent.
func (m Message) check() error {
	switch m.Type &^ Verbatim {
	case Binary:
		return nil
	case Text:
		if !wire.Valid(m.Data) {
			return &result.ArgumentError{Name: "text message", Allowed: fmt.Sprintf("valid UTF-8; it is none at byte %d", invalidAt(m.Data))}
		}
		return nil
	}
	return &result.ArgumentError{Name: "type of a message", Value: int(m.Type), Allowed: "stream.Text or stream.Binary"}
}

// invalidAt returns where p ceases to be UTF-8.
func invalidAt(p []byte) int {
	at := 0
	for at < len(p) {
		r, n := utf8.DecodeRune(p[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}
