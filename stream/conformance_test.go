package stream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// ctx bounds nothing: no test depends on it.
var ctx = context.Background()

var errTest = errors.New("the test's own error")

// A side is a role for the connection under test.
type side struct {
	name string
	role stream.Role
}

var sides = []side{{"client", stream.Client}, {"server", stream.Server}}

func (s side) start(t testing.TB, o *stream.Options) *script.Peer {
	t.Helper()
	return script.Start(t, s.role, o, nil)
}

// inBothRoles runs a case for a client and for a server.
func inBothRoles(t *testing.T, section, name string, test func(t *testing.T, s side)) {
	t.Helper()
	for _, s := range sides {
		rule(t, section, name+"/"+s.name, func(t *testing.T) { test(t, s) })
	}
}

// A way is how bytes are cut when they are sent.
type way struct {
	name string
	send func(p *script.Peer, frames ...script.Frame)
}

var ways = []way{
	{"in one piece", (*script.Peer).Sends},
	{"byte by byte", byteByByte},
	{"scattered", func(p *script.Peer, frames ...script.Frame) { p.SendsScattered(6455, frames...) }},
}

// byteByByte sends single bytes, but larger pieces in the middle of long
// frames.
func byteByByte(p *script.Peer, frames ...script.Frame) {
	const edge = 100
	for _, f := range frames {
		n := len(p.Bytes(f))
		if n < 4*edge {
			p.SendsIn(1, f)
			continue
		}
		p.SendsIn(1, f.First(edge))
		p.SendsIn(4093, f.First(n-edge).Rest(edge))
		p.SendsIn(1, f.Rest(n-edge))
	}
}

// An inbound case is what a peer sends, and what must come of it in both roles,
// however the bytes are cut.
type inbound struct {
	name   string
	sends  []script.Frame
	yields []stream.Message // what the application gets
	pongs  []string         // what the peer gets
	breach int              // the code that the peer gets for it; 0: it is none
	opts   *stream.Options
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
		in.drives(t)
		for _, w := range ways {
			inBothRoles(t, section, in.name+"/"+w.name, func(t *testing.T, s side) {
				in.run(t, s.start(t, in.opts), w)
			})
		}
	}
}

func (in inbound) run(t *testing.T, p *script.Peer, w way) {
	t.Helper()
	app := takeAll(p.Conn)
	w.send(p, in.sends...)
	if in.breach == 0 {
		p.Sends(script.Close(1000, ""))
		wantsPongs(t, p, in.pongs)
		p.WantsClose(1000)
		app.ends(t, nil)
	} else {
		wantsPongs(t, p, in.pongs)
		p.WantsClose(in.breach)
		p.WantsEOF()
		app.fails(t, in.breach)
	}
	sameMessages(t, app.messages, in.yields)
}

// wantsPongs wants the Pongs in order. All but the last may be left out: "the
// endpoint MAY elect to send a Pong frame for only the most recently processed
// Ping frame."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
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

func takeAll(c *stream.Conn) *taker { return takeAllIn(ctx, c) }

func takeAllIn(ctx context.Context, c *stream.Conn) *taker {
	app := &taker{done: make(chan struct{})}
	go func() {
		defer close(app.done)
		for m, err := range c.All(ctx) {
			if err != nil {
				app.err = err
				continue
			}
			app.messages = append(app.messages, m.Clone())
		}
	}()
	return app
}

// ends waits for the end of the loop, which must be with the error.
func (app *taker) ends(t *testing.T, want error) {
	t.Helper()
	within(t, "the end of All's loop", app.done)
	if app.err != want {
		t.Errorf("All ended with %v, want %v", app.err, want)
	}
}

// fails waits for the end of the loop, which must be by a breach of the
// protocol.
func (app *taker) fails(t *testing.T, code int) {
	t.Helper()
	within(t, "the end of All's loop", app.done)
	isBreach(t, app.err, code)
}

// isBreach holds an error against what a breach of the protocol must give.
func isBreach(t *testing.T, err error, code int) {
	t.Helper()
	var failed *result.ConnectionFailed
	var breach *result.ProtocolError
	if !errors.As(err, &failed) || !errors.As(err, &breach) || breach.Code != result.StatusCode(code) || breach.What == "" {
		t.Errorf("the error is %#v (%v), want a ConnectionFailed around a ProtocolError with the code %d", err, err, code)
	}
}

// isFailed holds an error against what the end of the connection without a
// Close frame must give, where no breach of the protocol is the cause. If
// causes are given, one of them must be wrapped.
func isFailed(t *testing.T, err error, causes ...error) {
	t.Helper()
	var failed *result.ConnectionFailed
	var breach *result.ProtocolError
	if !errors.As(err, &failed) || failed.Err == nil || errors.As(err, &breach) {
		t.Errorf("the error is %#v (%v), want a ConnectionFailed and no ProtocolError", err, err)
	}
	is := func(cause error) bool { return errors.Is(err, cause) }
	if len(causes) > 0 && !slices.ContainsFunc(causes, is) {
		t.Errorf("the error is %v, want one that wraps one of %v", err, causes)
	}
}

// isArgument holds an error against what a bad argument must give.
func isArgument(t *testing.T, err error) {
	t.Helper()
	var argument *result.ArgumentError
	if !errors.As(err, &argument) || argument.Name == "" || argument.Allowed == "" {
		t.Errorf("the error is %#v (%v), want an ArgumentError that names the argument and what is allowed", err, err)
	}
}

func sameMessages(t *testing.T, got, want []stream.Message) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("message %d is missing: %s", i, describe(want[i]))
		case i >= len(want):
			t.Errorf("message %d is too much: %s", i, describe(got[i]))
		case got[i].Type != want[i].Type || !bytes.Equal(got[i].Data, want[i].Data):
			t.Errorf("message %d is %s, want %s", i, describe(got[i]), describe(want[i]))
		}
	}
}

func describe(m stream.Message) string {
	return fmt.Sprintf("%v of %d bytes %.60q", m.Type, len(m.Data), m.Data)
}

// within waits for the channel to close or to give something, for longer than
// any deadline in these tests. In a bubble it costs nothing.
func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	late := time.NewTimer(2 * time.Minute)
	defer late.Stop()
	select {
	case v = <-c:
	case <-late.C:
		t.Fatalf("waited for two minutes for %s", what)
	}
	return v
}

// drain waits for the channel's end and returns what it gave until then.
func drain[T any](t *testing.T, what string, c <-chan T) (all []T) {
	t.Helper()
	for {
		late := time.NewTimer(2 * time.Minute)
		select {
		case v, ok := <-c:
			late.Stop()
			if !ok {
				return all
			}
			all = append(all, v)
		case <-late.C:
			t.Fatalf("waited for two minutes for the end of %s, after %d items", what, len(all))
		}
	}
}

// status waits for the terminal event.
func status(t *testing.T, c *stream.Conn) result.Status {
	t.Helper()
	within(t, "the terminal event", c.Done())
	s, ok := c.Result().Status()
	if !ok {
		t.Fatal("Done is closed, and the promise has no status")
	}
	return s
}

// isOpen sees that the connection works in both directions and that nothing
// else was on its way to the peer.
func isOpen(t *testing.T, p *script.Peer) {
	t.Helper()
	if err := p.Conn.SendText(ctx, "still open"); err != nil {
		t.Errorf("SendText on an open connection: %v", err)
	}
	p.Wants("a message on an open connection", script.Text("still open"))
	p.Sends(script.Ping("still open?"))
	p.Wants("a Pong on an open connection", script.Pong("still open?"))
}
