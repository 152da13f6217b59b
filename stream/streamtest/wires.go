package streamtest

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Wires are the two ends of one in-memory connection.
type wires struct {
	client, server *stream.Conn
}

// open connects two ends with their operators, the first nearest the
// application, and with frames of the size on the way.
func open(client, server []stream.Operator, fragment int) (*wires, error) {
	near, far := net.Pipe()
	c, err := stream.New(near, stream.Client, &stream.Options{Operators: client, FragmentSize: fragment})
	if err != nil {
		return nil, fmt.Errorf("client's connection: %w", errors.Join(err, near.Close(), far.Close()))
	}
	s, err := stream.New(far, stream.Server, &stream.Options{Operators: server, FragmentSize: fragment})
	if err != nil {
		c.CloseNow(err)
		return nil, fmt.Errorf("server's connection: %w", errors.Join(err, far.Close()))
	}
	return &wires{client: c, server: s}, nil
}

var errCut = errors.New("streamtest: the check is over")

// cut ends both connections at once and waits for that.
func (w *wires) cut() {
	w.client.CloseNow(errCut)
	w.server.CloseNow(errCut)
	<-w.client.Done()
	<-w.server.Done()
}

// fate cuts the connections and returns what else ended them before.
func (w *wires) fate() error {
	w.cut()
	var errs []error
	for who, c := range map[string]*stream.Conn{"client": w.client, "server": w.server} {
		if s, _ := c.Result().Status(); !errors.Is(s.Err, errCut) {
			errs = append(errs, wrap(who+"'s connection", s.Err))
		}
	}
	return errors.Join(errs...)
}

// talk sends each script from its side, both at the same time, and checks what
// arrives on the other.
func (w *wires) talk(ctx context.Context, fromClient, fromServer []item) error {
	return all(
		func() error { return wrap("client sends", send(ctx, w.client, fromClient)) },
		func() error { return wrap("server sends", send(ctx, w.server, fromServer)) },
		func() error { return wrap("server receives", receive(ctx, w.server, fromClient)) },
		func() error { return wrap("client receives", receive(ctx, w.client, fromServer)) },
	)
}

// shake sends the items, begins the closing handshake right after them, and
// checks that both sides saw it, and saw nothing else before it.
func shake(ctx context.Context, from, to *stream.Conn, items []item) error {
	return all(
		func() error {
			if err := send(ctx, from, items); err != nil {
				return err
			}
			return from.Close(result.StatusNormalClosure, parting)
		},
		func() error { return wrap("the one who closes", ended(ctx, from, false)) },
		func() error {
			if err := receive(ctx, to, items); err != nil {
				return err
			}
			return wrap("the other one", ended(ctx, to, true))
		},
	)
}

// parting is the reason in the Close that is sent first. The answer to it need
// not say why.
const parting = "that is all"

func ended(ctx context.Context, c *stream.Conn, byPeer bool) error {
	for m, err := range c.All(ctx) {
		if err != nil {
			return fmt.Errorf("waiting for the Close: %w", err)
		}
		return fmt.Errorf("a %v of %d bytes came that nobody sent", m.Type, len(m.Data))
	}
	got, err := c.Result().Wait(ctx)
	if err != nil {
		return err
	}
	want := result.Status{
		Code: result.StatusNormalClosure, Reason: got.Reason, ByPeer: byPeer,
		Sent: result.StatusNormalClosure, Received: result.StatusNormalClosure,
	}
	if byPeer {
		want.Reason = parting
	}
	if got != want {
		type fields result.Status // shown with their names
		return fmt.Errorf("ended with %+v, not %+v", fields(got), fields(want))
	}
	return nil
}

// all runs the functions at the same time and joins their errors.
func all(fs ...func() error) error {
	errs := make(chan error)
	for _, f := range fs {
		go func() { errs <- f() }() // each is waited for below
	}
	var joined []error
	for range fs {
		joined = append(joined, <-errs)
	}
	return errors.Join(joined...)
}

func wrap(who string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", who, err)
	}
	return nil
}
