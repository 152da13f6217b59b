package interop

import (
	"context"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// A peer is a server that somebody else wrote, and what is known of it.
type peer struct {
	name  string
	start func(*testing.T, []setting) *server

	contexts []setting // what it can insist on, beside nothing
	windows  []setting
	answers  func(setting, ask) outcome

	replies          func(ending) ending // to our Close
	cannotClose      func(ending) bool   // what its Close cannot be; nil where it can be anything
	needsSubprotocol bool                // it refuses who offers others
	proxied          bool                // a proxy stands before it
	notes            map[string]note     // by feature
}

// A running peer is one that was started for a test.
type running struct {
	*server
	peer peer
}

// settings are all that the peer has to listen for.
func (p peer) settings() []setting {
	all := []setting{off}
	for _, s := range append(append([]setting{standard}, p.contexts...), p.windows...) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// dial connects, until the test ends.
func (r *running) dial(t *testing.T, s setting, opts *dial.Options) *stream.Conn {
	t.Helper()
	conn, err := r.tryDial(t, s, opts)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	t.Cleanup(func() { conn.CloseNow(nil) })
	return conn
}

func (r *running) tryDial(t *testing.T, s setting, opts *dial.Options) (*stream.Conn, error) {
	opts.TLSConfig = r.server.tls
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return dial.Dial(ctx, r.url(s), opts)
}

// echoesClose is what the protocol asks for: "When sending a Close frame in
// response, the endpoint typically echos the status code it received."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func echoesClose(e ending) ending { return e }

func echoesCode(e ending) ending { return ending{code: e.code} }
