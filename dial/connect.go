package dial

import (
	"context"
	"errors"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Connect connects to a WebSocket URL, hands the open connection to onReady and
// returns at once. It is [Dial] for programs made of callbacks: the package
// comment compares the two.
//
// The promise is settled with the connection's terminal event, or rejected with
// what kept it from being made. Each error is of one of the types that package
// result lists; a bad argument is a *[result.ArgumentError] in a
// *[result.General], and the promise is rejected with it before Connect returns.
// What Options.Proxy returns is judged later, when it is called.
//
// ctx bounds the whole life of the connection. When it ends, the connection is
// cut, and the promise is rejected with a *[result.ConnectionFailed] around the
// context's cause.
//
// onReady, the connection's callbacks and the promise's continuations run one
// at a time and in this order: through Options.Post if it is set, otherwise on
// goroutines of the connection. So what onReady sets up needs no lock. onReady
// may take and send messages for as long as it likes. When it has returned,
// Connect calls [stream.Conn.Discard]: a client that only sends need not
// subscribe.
//
// If onReady returns an error, panics or calls runtime.Goexit, the connection
// is closed with 1011. The promise and the connection's streams then end with
// that error, with the panic's value if it is an error, and otherwise with a
// *[result.General] that holds the value.
//
// Without Options.Post the promise is settled when the connection has ended and
// onReady and the callbacks of all messages have returned. So none of them may
// wait for the promise, and a pause that is held keeps it back until ctx ends.
//
// With Options.Post the promise does not wait for functions that the loop has
// not begun. If the loop stands still, the promise has its status and Wait
// returns all the same; only continuations wait for the loop. If the connection
// ends before the loop begins onReady, the promise has that end. onReady is
// called all the same, for the messages that came, and its error is only logged.
func Connect(ctx context.Context, url string, onReady func(*stream.Conn) error, opts *Options) *result.Promise {
	l := &life{turn: make(chan struct{}, 1)}
	if opts != nil {
		l.loop = opts.Post
	}
	promise, settle := result.NewPromise(l.after)
	d, err := newDialer(url, opts)
	if err == nil {
		err = checkContext(ctx)
	}
	if err == nil && onReady == nil {
		err = &result.ArgumentError{Name: "dial: onReady", Allowed: "a function, not nil"}
	}
	if err != nil {
		settle(failed(err))
		return promise
	}
	// Ends with the connection and onReady.
	go func() { settle(l.run(ctx, d, onReady)) }()
	return promise
}

// failed is the end of a connection that was not made. The promise's error has one
// of the types that package result names.
func failed(err error) result.Status {
	if !errors.As(err, new(*result.ConnectionFailed)) {
		err = &result.General{Err: err}
	}
	return result.Status{Code: result.StatusAbnormalClosure, Err: err}
}

// A life is that of a connection that Connect makes.
type life struct {
	loop func(func())  // Options.Post, or nil
	conn *stream.Conn  // nil if there was none
	turn chan struct{} // without a loop: holds a token while a callback runs
}

// post runs callbacks.
func (l *life) post(f func()) {
	if l.loop != nil {
		l.loop(f)
		return
	}
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	f()
}

// after runs the continuations of the promise where callbacks run: on a loop
// behind onReady, and always behind the connection's callbacks.
func (l *life) after(f func()) {
	switch {
	case l.conn == nil && l.loop == nil:
		f()
	case l.conn == nil:
		l.loop(f)
	case l.loop == nil:
		l.last(f)
	default:
		l.loop(func() { l.last(f) })
	}
}

// last runs f after the connection's callbacks.
func (l *life) last(f func()) {
	l.conn.Result().Then(func(result.Status) { f() }, func(error) { f() })
}

// run returns the final status of the connection.
func (l *life) run(ctx context.Context, d *dialer, onReady func(*stream.Conn) error) result.Status {
	l.turn <- struct{}{} // no callback before onReady has returned
	d.post = l.post
	conn, err := d.dial(ctx)
	if err != nil {
		return failed(err)
	}
	l.conn = conn
	stop := context.AfterFunc(ctx, func() { conn.CloseNow(context.Cause(ctx)) })
	err = l.ready(ctx, &readying{ctx: ctx, call: onReady, logger: d.opts.Logger, outcome: make(chan error, 1)})
	if err != nil {
		conn.Fail(err)
	} else {
		conn.Discard()
	}
	l.end(ctx, stop)
	status, _ := conn.Result().Status()
	if err != nil {
		status.Err = err
	}
	return status
}

func (l *life) ready(ctx context.Context, r *readying) error {
	if l.loop != nil {
		l.loop(func() { r.run(l.conn) })
		return r.wait(l.conn.Done())
	}
	go r.run(l.conn) // ends with onReady
	err := r.wait(nil)
	<-l.turn
	return err
}

// end waits until the connection has ended. Without a loop it also waits for
// the callbacks of all messages, unless ctx ends: a loop may stand still. Once
// they have run, ctx has nothing to cut any more.
func (l *life) end(ctx context.Context, stop func() bool) {
	delivered := make(chan struct{})
	l.after(func() {
		stop()
		close(delivered)
	})
	if l.loop == nil {
		select {
		case <-delivered:
		case <-ctx.Done():
		}
	}
	<-l.conn.Done()
}

// A readying calls onReady, once at most.
type readying struct {
	ctx     context.Context
	call    func(*stream.Conn) error
	logger  *zap.Logger
	phase   atomic.Int32
	outcome chan error
}

// The phases of a readying.
const (
	pending  int32 = iota
	begun          // and its outcome counts
	overtook       // the connection ended first: onReady may run, its outcome does not count
	dropped        // ctx ended first: onReady does not run any more
)

// wait returns what onReady came to. If ctx ends, or ended is closed, before
// onReady has begun, it does not wait for it.
func (r *readying) wait(ended <-chan struct{}) error {
	next := dropped
	select {
	case err := <-r.outcome:
		return err
	case <-ended:
		next = overtook
	case <-r.ctx.Done():
	}
	if r.phase.CompareAndSwap(pending, next) {
		return nil
	}
	return <-r.outcome
}

// run calls onReady. Goexit is what ends a call without return and without a
// panic that can be recovered: it is assumed until there was one or the other.
func (r *readying) run(conn *stream.Conn) {
	late := !r.phase.CompareAndSwap(pending, begun)
	if late && (r.phase.Load() == dropped || r.ctx.Err() != nil) {
		return
	}
	err := check.Panicked("onReady", nil)
	defer func() {
		r.outcome <- err
		if late && err != nil && r.logger != nil {
			r.logger.Error("onReady failed after the connection had ended", zap.Error(err))
		}
	}()
	var stack zap.Field
	stack, err = r.recovered(conn)
	if stack.Key != "" && r.logger != nil {
		r.logger.Error("onReady panicked", stack)
	}
}

// recovered makes an error of a panic, and returns its stack.
func (r *readying) recovered(conn *stream.Conn) (stack zap.Field, err error) {
	returned := false
	defer func() {
		if !returned {
			stack, err = zap.Stack("stack"), check.Panicked("onReady", recover())
		}
	}()
	err = r.call(conn)
	returned = true
	return stack, err
}
