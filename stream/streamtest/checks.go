package streamtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// An exchange is a connection whose sides send scripts to each other.
type exchange struct {
	client, server         []stream.Operator
	fromClient, fromServer []item
	fragment               int // the size of the frames that messages are sent in; 0: the default
	looks                  []func(*wires) error
}

// run opens the connection with its operators guarded, lets both sides send,
// closes it, and looks at what is left.
func (e exchange) run(ctx context.Context) error {
	var f faults
	w, err := open(guarded(e.client, &f), guarded(e.server, &f), e.fragment)
	if err != nil {
		return err
	}
	defer w.cut()
	if err := w.talk(ctx, e.fromClient, e.fromServer); err != nil {
		return errors.Join(err, w.fate(), f.err())
	}
	errs := []error{shake(ctx, w.client, w.server, nil), f.err()}
	for _, look := range e.looks {
		errs = append(errs, look(w))
	}
	return errors.Join(errs...)
}

func passesMessages(ctx context.Context, p Pair) error {
	e := exchange{fromClient: script(1, allSizes), fromServer: script(2, allSizes)}
	e.client, e.server = p.lists()
	return e.run(ctx)
}

// passesFragments hands messages to the operators in small pieces on the way
// out, and in small frames on the way in.
func passesFragments(ctx context.Context, p Pair) error {
	e := exchange{fromClient: script(8, fewSizes), fromServer: script(9, fewSizes), fragment: 1000}
	e.client, e.server = arrangement{{pair: both(splitter{})}, {pair: p}}.lists()
	return e.run(ctx)
}

func passesBetweenControls(ctx context.Context, p Pair) error {
	e := exchange{fromClient: script(3, fewSizes), fromServer: script(4, fewSizes), fragment: 10_000}
	e.client, e.server = arrangement{{pair: p}, {pair: both(pinger{})}}.lists()
	e.looks = append(e.looks, pingsAnswered)
	return e.run(ctx)
}

// passesManySenders checks that the messages of each of several senders arrive
// whole and in its order.
func passesManySenders(ctx context.Context, p Pair) error {
	const senders, each = 4, 50
	var f faults
	client, server := p.lists()
	w, err := open(guarded(client, &f), guarded(server, &f), 0)
	if err != nil {
		return err
	}
	defer w.cut()
	var work []func() error
	for id := range senders {
		work = append(work, func() error { return send(ctx, w.client, numbered(id, each)) })
	}
	work = append(work, func() error { return receiveNumbered(ctx, w.server, senders, each) })
	if err := all(work...); err != nil {
		return errors.Join(err, w.fate(), f.err())
	}
	return errors.Join(shake(ctx, w.client, w.server, nil), f.err())
}

// numbered returns messages that begin with the sender's and their own number
// and are filled with the sum of both. Every second sender sends fragments.
func numbered(id, count int) (items []item) {
	for n := range count {
		data := make([]byte, 8+n*37)
		binary.BigEndian.PutUint32(data, uint32(id))
		binary.BigEndian.PutUint32(data[4:], uint32(n))
		for i := range data[8:] {
			data[8+i] = byte(id + n)
		}
		items = append(items, item{Message: stream.Message{Type: stream.Binary, Data: data}, pieces: id % 2 * 3})
	}
	return items
}

func receiveNumbered(ctx context.Context, c *stream.Conn, senders, each int) error {
	want := make([][]item, senders)
	for id := range want {
		want[id] = numbered(id, each)
	}
	left := senders * each
	for m, err := range c.All(ctx) {
		if err != nil {
			return fmt.Errorf("waiting for %d more messages: %w", left, err)
		}
		if len(m.Data) < 8 || int(binary.BigEndian.Uint32(m.Data)) >= senders {
			return fmt.Errorf("a %v of %d bytes came that nobody sent", m.Type, len(m.Data))
		}
		id := binary.BigEndian.Uint32(m.Data)
		if len(want[id]) == 0 {
			return fmt.Errorf("sender %d: a message too many came", id)
		}
		if err := same(m, want[id][0]); err != nil {
			return fmt.Errorf("sender %d: message %d: %w", id, each-len(want[id]), err)
		}
		want[id] = want[id][1:]
		if left--; left == 0 {
			return nil
		}
	}
	return fmt.Errorf("the stream ended before %d messages", left)
}

// passesClosing checks the closing handshake that either side begins, with and
// without messages right before the Close.
func passesClosing(ctx context.Context, p Pair) error {
	var errs []error
	for _, items := range [][]item{nil, script(5, fewSizes)} {
		for _, byServer := range []bool{false, true} {
			client, server := p.lists()
			w, err := open(client, server, 0)
			if err != nil {
				return err
			}
			defer w.cut()
			from, to := w.client, w.server
			if byServer {
				from, to = to, from
			}
			if err := shake(ctx, from, to, items); err != nil {
				errs = append(errs, fmt.Errorf("begun by the server: %t, after %d messages: %w", byServer, len(items), err))
			}
		}
	}
	return errors.Join(errs...)
}

// servesMany checks that the same values serve several connections at once.
func servesMany(ctx context.Context, p Pair) error {
	client, server := p.lists()
	var work []func() error
	for n := range uint64(4) {
		e := exchange{client: client, server: server, fromClient: script(10+n, fewSizes), fromServer: script(20+n, fewSizes)}
		work = append(work, func() error { return e.run(ctx) })
	}
	return all(work...)
}

var errRefused = errors.New("streamtest: no connection wanted")

// A refuser is an operator that lets no connection start.
type refuser struct{}

func (refuser) Attach(*stream.Link) (stream.Hooks, error) { return stream.Hooks{}, errRefused }

// leavesNothing checks that no goroutine stays behind, neither after a
// connection nor where one did not come to be after Attach. It makes many, so
// that what else the program does is not mistaken for a leak.
func leavesNothing(p Pair) error {
	const rounds = 100
	before := runtime.NumGoroutine()
	for range rounds {
		client, server := p.lists()
		if err := errors.Join(refused(stream.Client, client), refused(stream.Server, server)); err != nil {
			return err
		}
		w, err := open(client, server, 0)
		if err != nil {
			return err
		}
		w.cut()
	}
	for range 200 { // two seconds: nothing tells of a goroutine's end
		if runtime.NumGoroutine() < before+rounds/2 {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%d connections left %d goroutines behind", 4*rounds, runtime.NumGoroutine()-before)
}

// refused has a connection refused after the operators were attached.
func refused(role stream.Role, ops []stream.Operator) error {
	near, _ := net.Pipe()
	_, err := stream.New(near, role, &stream.Options{Operators: append(slices.Clip(ops), refuser{})})
	if !errors.Is(err, errRefused) {
		return fmt.Errorf("a connection that an operator refuses: New returned the error %v", err)
	}
	return nil
}
