package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// The tests of this file are the promises of the package, one by one. Those of
// dial have tests there.

// "One terminal event for each connection: Status{Code, Reason} plus who closed
// first, both codes, and the error. Set before any stream ends; replayable,
// settled exactly once, when the closing handshake is done (not at TCP's end)."
func TestContract01TerminalEvent(t *testing.T) {
	for _, s := range sides {
		bubble(t, "by the peer/"+s.name, func(t *testing.T) {
			p := s.start(t, nil)
			takeAll(p.Conn)
			p.Sends(script.Close(1000, "bye"))
			endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "bye", ByPeer: true, Sent: 1000, Received: 1000})
		})
		bubble(t, "by us/"+s.name, func(t *testing.T) {
			p := s.start(t, nil)
			takeAll(p.Conn)
			p.Conn.Close(3000, "ours")
			p.WantsClose(3000)
			p.Sends(script.Close(1000, "theirs"))
			endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "theirs", Sent: 3000, Received: 1000})
		})
	}
	onEachFace(t, "set before the stream ends", nil, func(t *testing.T, f face, p *script.Peer) {
		tk := f.take(ctx, p.Conn)
		p.Sends(script.Close(4000, ""))
		tk.ends(t)
		select {
		case <-p.Conn.Done():
		default:
			t.Error("the stream has ended, Done is open")
		}
	})
	bubble(t, "replayable", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		got := make(chan result.Status, 10)
		note := func(s result.Status) { got <- s }
		p.Conn.Result().Then(note, nil)
		p.Sends(script.Close(1000, "once"))
		want := status(t, p.Conn)
		p.Conn.Result().Then(note, nil)
		for range 2 {
			if s := within(t, "the continuation", got); s != want {
				t.Errorf("the continuation got %+v, want %+v", s, want)
			}
		}
		if s, err := p.Conn.Result().Wait(ctx); s != want || err != nil {
			t.Errorf("Wait gives %+v and %v", s, err)
		}
	})
	bubble(t, "settled exactly once", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		settled := make(chan struct{}, 10)
		p.Conn.Result().Then(func(result.Status) { settled <- struct{}{} }, func(error) { settled <- struct{}{} })
		p.Sends(script.Close(1000, "first"), script.Close(4000, "second"))
		p.Cuts()
		want := status(t, p.Conn)
		p.Conn.CloseNow(errTest)
		p.Conn.Close(1000, "")
		time.Sleep(time.Hour)
		if got := status(t, p.Conn); got != want || len(settled) != 1 {
			t.Errorf("settled %d times, first with %+v, now with %+v", len(settled), want, got)
		}
	})
	bubble(t, "not at the end of TCP", func(t *testing.T) {
		p := script.Client(t, nil)
		app := takeAll(p.Conn)
		began := time.Now()
		p.Sends(script.Close(1000, ""))
		status(t, p.Conn)
		app.ends(t, nil)
		if waited := time.Since(began); waited > 0 {
			t.Errorf("the terminal event came %v after the handshake", waited)
		}
		p.WantsClose(1000)
		p.WantsSilence("before the server closes TCP")
	})
}

// "Success is code 1000 or no code (1005): sources complete, the promise
// resolves. Any other code, 1001 and 4xxx too: sources end with
// *result.CloseError, the promise rejects with it. An option may name further
// codes as success."
func TestContract02Success(t *testing.T) {
	further := []result.StatusCode{1001, 4000}
	tests := []struct {
		code    int
		further []result.StatusCode
		success bool
	}{
		{1000, nil, true}, {1005, nil, true}, {1001, nil, false}, {1002, nil, false}, {1003, nil, false}, {1007, nil, false},
		{1008, nil, false}, {1009, nil, false}, {1011, nil, false}, {3000, nil, false}, {4000, nil, false}, {4999, nil, false},
		{1000, further, true}, {1005, further, true}, {1001, further, true}, {4000, further, true}, {4001, further, false}, {1011, further, false},
	}
	for _, test := range tests {
		o := &stream.Options{SuccessCodes: test.further}
		onEachFace(t, fmt.Sprintf("%d with %v", test.code, test.further), o, func(t *testing.T, f face, p *script.Peer) {
			tk := f.take(ctx, p.Conn)
			closing := script.Close(test.code, "why")
			reason := "why"
			if test.code == 1005 {
				closing, reason = script.CloseEmpty(), ""
			}
			p.Sends(closing)
			_, err := tk.ends(t)
			s, promised := p.Conn.Result().Wait(ctx)
			if int(s.Code) != test.code || s.Reason != reason {
				t.Errorf("the status is %+v", s)
			}
			if err != promised || promised != s.Err {
				t.Errorf("the face ended with %v, the promise with %v, the status has %v", err, promised, s.Err)
			}
			if test.success {
				test.code = 1000
			}
			isCloseError(t, err, test.code, reason)
		})
	}
}

// An untouched transport is one on which nothing may be read, written or changed.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("it was read from")
	return 0, io.EOF
}

func (u untouched) Write([]byte) (int, error) {
	u.t.Error("it was written to")
	return 0, io.ErrClosedPipe
}

func (u untouched) SetDeadline(time.Time) error {
	u.t.Error("a deadline was set")
	return nil
}

func (u untouched) SetReadDeadline(at time.Time) error  { return u.SetDeadline(at) }
func (u untouched) SetWriteDeadline(at time.Time) error { return u.SetDeadline(at) }
func (u untouched) Close() error                        { return nil }

// An odd operator has the hooks and errors it is told to have.
type odd struct {
	hooks           stream.Hooks
	attach, invalid error
}

func (o odd) Attach(*stream.Link) (stream.Hooks, error) { return o.hooks, o.attach }
func (o odd) Validate() error                           { return o.invalid }

// A broken transport fails to read with an error of its own.
type broken struct{ net.Conn }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if err == io.EOF {
		err = fmt.Errorf("the line is down: %w", errTest)
	}
	return n, err
}

// "No Close frame from the peer: *result.ConnectionFailed with the cause
// wrapped, in place of 1006, which is never sent. Bad arguments are errors
// before any I/O that name the argument, its value and what is allowed."
func TestContract03ConnectionFailed(t *testing.T) {
	breaches := []struct {
		code  int
		frame script.Frame
	}{{1002, script.Last("")}, {1007, script.Text("\xff")}, {1009, script.Text(letters(101))}}
	for _, b := range breaches {
		o := &stream.Options{SizeLimit: 100}
		onEachFace(t, fmt.Sprintf("a breach of %d", b.code), o, func(t *testing.T, f face, p *script.Peer) {
			if f.name == "Reader" && b.code == 1009 {
				t.Skip("what Reader streams is not limited")
			}
			tk := f.take(ctx, p.Conn)
			p.Sends(b.frame)
			_, err := tk.ends(t)
			isBreach(t, err, b.code)
			isBreach(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: result.StatusCode(b.code)}), b.code)
		})
	}
	bubble(t, "the transport's error is wrapped", func(t *testing.T) {
		p := script.Start(t, stream.Client, nil, func(nc net.Conn) io.ReadWriteCloser { return broken{nc} })
		app := takeAll(p.Conn)
		p.Cuts()
		within(t, "the end", app.done)
		isFailed(t, app.err, errTest)
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006}), errTest)
	})
	bubble(t, "a deadline is a timeout", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Conn.Close(1000, "")
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1000}))
	})
	bubble(t, "1006 is never sent", func(t *testing.T) {
		p := script.Client(t, nil)
		isArgument(t, p.Conn.Close(1006, ""))
		p.Conn.CloseNow(errTest)
		p.WantsEOF()
	})
	bubble(t, "CloseNow without a cause", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Conn.CloseNow(nil)
		isFailed(t, status(t, p.Conn).Err)
	})
}

func TestContract03BadOptions(t *testing.T) {
	bad := map[string]*stream.Options{
		"a negative CloseTimeout":      {CloseTimeout: -1},
		"a negative LookAhead":         {LookAhead: -1},
		"a success code of 999":        {SuccessCodes: []result.StatusCode{1001, 999}},
		"a success code of 1006":       {SuccessCodes: []result.StatusCode{1006}},
		"a success code of 5000":       {SuccessCodes: []result.StatusCode{5000}},
		"a nil operator":               {Operators: []stream.Operator{&hand{}, nil}},
		"a reserved bit that is none":  {Operators: []stream.Operator{odd{hooks: stream.Hooks{RSV: 8}}}},
		"a reserved bit claimed twice": {Operators: []stream.Operator{odd{hooks: stream.Hooks{RSV: 6}}, odd{hooks: stream.Hooks{RSV: 3}}}},
	}
	for name, o := range bad {
		bubble(t, name, func(t *testing.T) {
			c, err := stream.New(untouched{t}, stream.Client, o)
			isArgument(t, err)
			if c != nil {
				t.Error("there is a connection")
			}
		})
	}
	bubble(t, "no transport", func(t *testing.T) {
		_, err := stream.New(nil, stream.Client, nil)
		isArgument(t, err)
	})
	invalid := &result.ArgumentError{Name: "odd.Options.X", Value: 1, Allowed: "2"}
	for name, o := range map[string]odd{"an invalid operator": {invalid: invalid}, "an operator that refuses": {attach: errTest}} {
		bubble(t, name, func(t *testing.T) {
			_, err := stream.New(untouched{t}, stream.Client, &stream.Options{Operators: []stream.Operator{o}})
			if want := errors.Join(o.invalid, o.attach); err == nil || !errors.Is(want, errors.Unwrap(err)) && !errors.Is(want, err) && !errors.Is(err, errTest) {
				t.Errorf("New gives %v, want an error that wraps %v", err, want)
			}
		})
	}
	queues := map[string]*stream.SubscribeOptions{"a negative size": {Size: -1}, "an unknown policy": {Policy: 99}, "a negative timeout": {Timeout: -1}}
	for name, q := range queues {
		bubble(t, "a queue with "+name, func(t *testing.T) {
			p := script.Client(t, nil)
			sub := p.Conn.Chan(ctx, q)
			within(t, "the end of the subscription", sub.C)
			isArgument(t, sub.Err())
			isArgument(t, within(t, "the error item", p.Conn.Observable(q).Observe(rxgo.WithContext(t.Context()))).E)
		})
	}
}

// "Messages received before the terminal event are delivered first, unless the
// caller cancelled. A cancelled context ends that wait or that subscription
// alone (its cause can be read from the subscription), never the connection."
func TestContract05Delivery(t *testing.T) {
	ends := map[string]func(p *script.Peer){
		"close":  func(p *script.Peer) { p.Sends(script.Close(1000, "")) },
		"cut":    (*script.Peer).Cuts,
		"breach": func(p *script.Peer) { p.Sends(script.Last("")) },
	}
	for name, end := range ends {
		for _, f := range faces {
			bubble(t, f.name+"/a backlog before a "+name, func(t *testing.T) {
				p := script.Client(t, nil)
				resume := p.Conn.Pause()
				tk := f.take(ctx, p.Conn)
				p.Sends(manyFrames(600)...)
				end(p)
				time.Sleep(10 * time.Second)
				resume()
				messages, _ := tk.ends(t)
				sameMessages(t, messages, manyMessages(600))
			})
		}
	}
	for name, wait := range waits {
		bubble(t, "a cancelled "+name, func(t *testing.T) { isCancelledAlone(t, name, wait) })
	}
	bubble(t, "a cancelled subscription", func(t *testing.T) {
		p := script.Client(t, nil)
		inner, cancel := context.WithCancelCause(ctx)
		one, two, three := p.Conn.Chan(inner, nil), p.Conn.Chan(t.Context(), nil), p.Conn.Batches(t.Context(), nil)
		three.Cancel()
		drain(t, "the subscription that Cancel ended", three.C)
		cancel(errTest)
		drain(t, "the subscription whose context ended", one.C)
		if !errors.Is(one.Err(), errTest) {
			t.Errorf("the subscription ended with %v, want the context's cause", one.Err())
		}
		p.Sends(script.Text("after"))
		sameMessages(t, []stream.Message{within(t, "a message", two.C)}, []stream.Message{text("after")})
		isOpen(t, p)
	})
}

// waits are the calls that wait while the peer does not read and another holds
// the wire.
var waits = map[string]func(ctx context.Context, c *stream.Conn) error{
	"SendBinary": func(ctx context.Context, c *stream.Conn) error { return c.SendBinary(ctx, filler(8<<20)) },
	"SendText":   func(ctx context.Context, c *stream.Conn) error { return c.SendText(ctx, letters(8<<20)) },
	"Flush":      func(ctx context.Context, c *stream.Conn) error { return c.Flush(ctx) },
	"Wait":       func(ctx context.Context, c *stream.Conn) error { _, err := c.Result().Wait(ctx); return err },
	"Writer":     func(ctx context.Context, c *stream.Conn) error { _, err := c.Writer(ctx, stream.Text); return err },
}

// isCancelledAlone sees that a cancelled context ends the call with its cause,
// and that the connection still works.
func isCancelledAlone(t *testing.T, name string, wait func(context.Context, *stream.Conn) error) {
	p := script.Client(t, nil)
	takeAll(p.Conn)
	p.StopsReading()
	w, err := p.Conn.Writer(ctx, stream.Binary)
	if err != nil {
		t.Fatal(err)
	}
	before := make(chan error, 1)
	go func() {
		_, err := w.Write(filler(4 << 20))
		before <- errors.Join(err, w.Close())
	}()
	synctest.Wait()
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waited := make(chan error, 1)
	go func() { waited <- wait(inner, p.Conn) }()
	synctest.Wait()
	if len(waited) > 0 {
		t.Fatalf("it did not wait: %v", <-waited)
	}
	cancel(errTest)
	if err := within(t, name, waited); !errors.Is(err, errTest) {
		t.Errorf("%s gives %v, want the context's cause", name, err)
	}
	p.ReadsOn()
	if err := within(t, "the message before", before); err != nil {
		t.Errorf("the message before: %v", err)
	}
	if err := p.Conn.SendText(ctx, "after"); err != nil {
		t.Errorf("the message after: %v", err)
	}
	for string(p.Next("the message after").Payload) != "after" {
	}
}

// A continuation that ends its goroutine does not keep others from running.
func TestContract01Goexit(t *testing.T) {
	bubble(t, "a continuation calls Goexit", func(t *testing.T) {
		p := script.Client(t, nil)
		var ran atomic.Bool
		p.Conn.Result().Then(func(result.Status) { runtime.Goexit() }, nil)
		p.Conn.Result().Then(func(result.Status) { ran.Store(true) }, nil)
		takeAll(p.Conn)
		p.Sends(script.Close(1000, ""))
		<-p.Conn.Done()
		synctest.Wait()
		if !ran.Load() {
			t.Error("the second continuation never ran")
		}
	})
}
