package deflate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A side is a role for the connection under test.
type side struct {
	name string
	role stream.Role
}

var (
	clientSide = side{"client", stream.Client}
	serverSide = side{"server", stream.Server}
	sides      = []side{clientSide, serverSide}
)

// inBothRoles runs a case for a client and for a server.
func inBothRoles(t *testing.T, section, name string, test func(t *testing.T, s side)) {
	t.Helper()
	for _, s := range sides {
		conformance.Rule(t, section, name+"/"+s.name, func(t *testing.T) { test(t, s) })
	}
}

// inEachDirection runs a case for a client and for a server, which counts for
// the section of the parameter that is about what the client sends, or the
// server: about what this side sends, or what it receives.
func inEachDirection(t *testing.T, ofServer, ofClient string, sending bool, name string, test func(t *testing.T, s side)) {
	t.Helper()
	for _, s := range sides {
		section := ofClient
		if sending == (s.role == stream.Server) {
			section = ofServer
		}
		conformance.Rule(t, section, name+"/"+s.name, func(t *testing.T) { test(t, s) })
	}
}

// element names what was agreed on as the handshake does, for a setup of which
// all fields are set.
func (s side) element(agreed Setup) string {
	client, server := agreed, Setup{agreed.PeerContextMode, agreed.LocalContextMode, agreed.PeerMaxWindowBits, agreed.LocalMaxWindowBits}
	if s.role == stream.Server {
		client, server = server, client
	}
	e := "permessage-deflate"
	if server.LocalContextMode == NoTakeover {
		e += "; server_no_context_takeover"
	}
	if client.LocalContextMode == NoTakeover {
		e += "; client_no_context_takeover"
	}
	return e + fmt.Sprintf("; server_max_window_bits=%d; client_max_window_bits=%d", server.LocalMaxWindowBits, client.LocalMaxWindowBits)
}

// negotiated returns the operator of a connection whose sides agreed on the
// setup.
func (s side) negotiated(t testing.TB, agreed Setup, opts Options) stream.Operator {
	t.Helper()
	var op stream.Operator
	var err error
	ok := true
	if s.role == stream.Client {
		op, err = New(&opts).Accept(s.element(agreed))
	} else {
		op, _, ok, err = New(&opts).Negotiate(s.element(agreed))
	}
	if err != nil || !ok {
		t.Fatalf("%s: ok is %t, the error %v", s.element(agreed), ok, err)
	}
	return op
}

// start returns a peer of a connection whose sides agreed on the setup.
func (s side) start(t testing.TB, agreed Setup, opts Options, so *stream.Options) *script.Peer {
	t.Helper()
	if so == nil {
		so = &stream.Options{}
	}
	so.Operators = []stream.Operator{s.negotiated(t, agreed, opts)}
	p := script.Start(t, s.role, so, nil)
	p.Allows(rsv1)
	if state, ok := Of(p.Conn); !ok || state.Agreed() != agreed {
		t.Fatalf("%s: agreed on %+v, want %+v", s.element(agreed), state.Agreed(), agreed)
	}
	return p
}

var defaults = setup(Takeover, 15)

// packed marks a message, or its first fragment, as compressed.
func packed(f script.Frame) script.Frame { return f.Reserved(rsv1) }

// An inbound case is what a peer sends, and what must come of it in both roles,
// however the bytes are cut.
type inbound struct {
	name   string
	agreed Setup // the zero Setup is the defaults
	sends  []script.Frame
	yields []stream.Message // what the application gets
	pongs  []string         // what the peer gets
	breach int              // the code that the peer gets for it; 0: it is none
}

func text[T ~string | ~[]byte](s T) stream.Message {
	return stream.Message{Type: stream.Text, Data: []byte(s)}
}

func bin[T ~string | ~[]byte](s T) stream.Message {
	return stream.Message{Type: stream.Binary, Data: []byte(s)}
}

// run runs the cases.
func run(t *testing.T, section string, cases []inbound) {
	t.Helper()
	for _, in := range cases {
		inBothRoles(t, section, in.name+"/in one piece", func(t *testing.T, s side) {
			in.run(t, s, (*script.Peer).Sends)
		})
		inBothRoles(t, section, in.name+"/byte by byte", func(t *testing.T, s side) {
			in.run(t, s, func(p *script.Peer, frames ...script.Frame) { p.SendsIn(1, frames...) })
		})
	}
}

func (in inbound) run(t *testing.T, s side, send func(*script.Peer, ...script.Frame)) {
	t.Helper()
	if in.agreed == (Setup{}) {
		in.agreed = defaults
	}
	p := s.start(t, in.agreed, Options{}, nil)
	app := takeAll(p.Conn)
	send(p, in.sends...)
	wantsPongs(t, p, in.pongs)
	if in.breach == 0 {
		p.Sends(script.Close(1000, ""))
		p.WantsClose(1000)
		app.ends(t)
	} else {
		p.WantsClose(in.breach)
		p.WantsEOF()
		app.fails(t, in.breach)
	}
	app.got(t, in.yields...)
}

// wantsPongs wants the last of the Pongs; those before it may be left out.
func wantsPongs(t *testing.T, p *script.Peer, pongs []string) {
	t.Helper()
	for len(pongs) > 0 {
		f := p.Next("a Pong")
		i := slices.Index(pongs, string(f.Payload))
		if f.Opcode != script.OpPong || i < 0 {
			t.Fatalf("wanted a Pong with one of %q\ncame   %v", pongs, f)
		}
		pongs = pongs[i+1:]
	}
}

// A taker is an application in All's loop.
type taker struct {
	messages []stream.Message // once done is closed
	err      error
	done     chan struct{}
}

func takeAll(c *stream.Conn) *taker {
	app := &taker{done: make(chan struct{})}
	go func() {
		defer close(app.done)
		for m, err := range c.All(context.Background()) {
			if err != nil {
				app.err = err
				continue
			}
			app.messages = append(app.messages, m.Clone())
		}
	}()
	return app
}

// ends waits for the end of the loop, which must be a success.
func (app *taker) ends(t *testing.T) {
	t.Helper()
	if <-app.done; app.err != nil {
		t.Errorf("All ended with %v", app.err)
	}
}

// fails waits for the end of the loop, which must be by a breach of the
// protocol.
func (app *taker) fails(t *testing.T, code int) {
	t.Helper()
	<-app.done
	var failed *result.ConnectionFailed
	var breach *result.ProtocolError
	if !errors.As(app.err, &failed) || !errors.As(app.err, &breach) || breach.Code != result.StatusCode(code) || breach.What == "" {
		t.Errorf("the error is %#v (%v), want a ConnectionFailed around a ProtocolError with the code %d", app.err, app.err, code)
	}
}

func (app *taker) got(t *testing.T, want ...stream.Message) {
	t.Helper()
	<-app.done
	if len(app.messages) != len(want) {
		t.Errorf("%d messages came, want %d", len(app.messages), len(want))
	}
	for i := range min(len(app.messages), len(want)) {
		got, want := app.messages[i], want[i]
		if got.Type != want.Type || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("message %d is %v of %d bytes %.40q, want %v of %d bytes %.40q", i, got.Type, len(got.Data), got.Data, want.Type, len(want.Data), want.Data)
		}
	}
}

// A sent message is one as it came to the peer.
type sent struct {
	opcode     byte
	compressed bool
	payload    []byte // as it stood in the frames
	frames     int
}

// nextMessage waits for a message. RSV1 may stand on its first frame alone.
func nextMessage(t *testing.T, p *script.Peer) sent {
	t.Helper()
	f := p.Next("a message")
	m := sent{opcode: f.Opcode, compressed: f.RSV == rsv1}
	for {
		m.payload = append(m.payload, f.Payload...)
		m.frames++
		if f.Fin {
			return m
		}
		if f = p.Next("a fragment"); f.Opcode != script.OpContinuation || f.RSV != 0 {
			t.Fatalf("wanted a continuation without RSV1, came %v", f)
		}
	}
}

// A way to send is one of those that the connection offers.
type way struct {
	name string
	send func(c *stream.Conn, m stream.Message) error
}

var ways = []way{
	{"Send", func(c *stream.Conn, m stream.Message) error { return c.Send(context.Background(), m) }},
	{"Sink", func(c *stream.Conn, m stream.Message) error {
		sink := c.Sink(context.Background(), nil)
		sink <- m.Clone()
		close(sink)
		return c.Flush(context.Background())
	}},
	{"Writer", func(c *stream.Conn, m stream.Message) error {
		w, err := c.Writer(context.Background(), m.Type)
		if err != nil {
			return err
		}
		half := len(m.Data) / 2
		w.Write(m.Data[:half]) // Close returns the error, if there is one
		w.Write(m.Data[half:])
		return w.Close()
	}},
}
