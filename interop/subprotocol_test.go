package interop

import (
	"errors"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// choosesSubprotocol offers subprotocols of which the peer speaks one, or none.
func choosesSubprotocol(t *testing.T, r *running) {
	for _, c := range []struct {
		offered []string
		chosen  string
	}{
		{nil, ""},
		{[]string{subprotocol}, subprotocol},
		{[]string{"v9.wsflow", subprotocol, "other"}, subprotocol},
		{[]string{"v9.wsflow", "other"}, ""},
	} {
		t.Run(strings.Join(c.offered, ","), func(t *testing.T) {
			if c.offered != nil && c.chosen == "" && r.peer.needsSubprotocol {
				isRefused(t, r, standard, &dial.Options{Subprotocols: c.offered}, 400)
				return
			}
			conn := r.dial(t, standard, &dial.Options{Subprotocols: c.offered})
			if got := conn.Subprotocol(); got != c.chosen {
				t.Errorf("the subprotocol is %q, want %q", got, c.chosen)
			}
			echo(t, conn, senders[0], takers[0], []stream.Message{text("hello")})
		})
	}
}

// isRefused sees that the handshake fails with this answer.
func isRefused(t *testing.T, r *running, s setting, opts *dial.Options, code int) *dial.HandshakeError {
	t.Helper()
	conn, err := r.tryDial(t, s, opts)
	var refused *dial.HandshakeError
	if err == nil {
		conn.CloseNow(nil)
		t.Fatalf("the peer agreed, want an answer of %d", code)
	}
	if !errors.As(err, &refused) || refused.StatusCode != code {
		t.Fatalf("the error is %v, want a HandshakeError for an answer of %d", err, code)
	}
	return refused
}
