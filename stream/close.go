package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// A closer is the shell of a closing: it has the lock and the timer, and does
// what the closing says.
type closer struct {
	begun event // no more messages are accepted

	mu       sync.Mutex
	*closing             // guarded by mu; nil while nothing has happened
	deadline *time.Timer // guarded by mu; nil before it is started
}

// know sees, under mu, that there is a closing. Connections have one once something
// has happened that may end them.
func (s *closer) know(good []result.StatusCode) {
	if s.closing == nil {
		s.closing = &closing{good: good}
	}
}

// step hands an event to the closing, and returns what is to be done without the
// lock, and what is known by now.
func (c *Conn) step(e closeEvent) (do actions, status result.Status, reason string) {
	s := &c.close
	s.mu.Lock()
	defer s.mu.Unlock()
	s.know(c.lasting.good)
	do = s.on(e)
	if do&doTime != 0 {
		s.deadline = time.AfterFunc(c.lasting.closeTimeout, c.expire)
	}
	if s.phase == phaseGone && s.deadline != nil {
		s.deadline.Stop()
	}
	return do, s.status, s.reason
}

// closes deals with an event of the connection's end. It reports whether anything
// follows from it.
func (c *Conn) closes(e closeEvent) bool {
	do, status, reason := c.step(e)
	if do&doBegin != 0 {
		c.close.begun.fire()
	}
	if do&doBreak != 0 {
		c.w.broke()
	}
	if do&doQueue != 0 {
		c.w.finish(status.Sent, reason)
	}
	if do&doQuit != 0 {
		c.abandon()
	}
	if do&doSettle != 0 {
		c.announce(status)
	}
	if do&doQueue != 0 {
		c.w.kick()
	}
	if do&doFlush != 0 {
		go c.flush() // ends with the terminal event
	}
	if do&doReadOn != 0 {
		go c.readOn() // ends with the terminal event
	}
	if do&doLinger != 0 {
		go c.linger(status) // ends with the transport, or at the deadline
	}
	if do&doShut != 0 {
		c.t.close()
	}
	switch {
	case do&doCut == 0:
	case e.kind == onReadEnd: // The reader's lock is held.
		go c.t.cut() // closes a socket and returns
	default:
		c.t.cut()
	}
	return do != 0
}

// announce lets everybody know of the terminal event.
func (c *Conn) announce(status result.Status) {
	c.warnUntaken()
	c.settle(status)
	c.clock.stop()
	c.t.interrupt()
	c.source.adopted().sourceOver()
}

// Close starts the closing handshake and returns; [Conn.Done] and [Conn.Result] tell
// when it is done, and [Conn.Shutdown] waits for it. What was accepted before, and
// what stands in the Sinks' channels, is sent first. Then the Close frame goes out,
// and reading goes on until the peer's Close, but not longer than
// Options.CloseTimeout. Messages that come until then are delivered. If nobody has
// ever subscribed, they are discarded once the look-ahead is spent: see
// [Conn.Discard]. Close does not wait for a Writer that has not ended its message:
// the rest of that message, and what stands in the Sinks' channels, is not sent
// then.
//
// The connection ends with success if the peer answers with the same code, with
// 1000, or with none.
//
// The code is one of 1000 to 1003, 1007 to 1014, 3000 to 4999; the reason is
// UTF-8 of at most 123 bytes. The code 1005 with an empty reason sends a Close
// frame without a code. Anything else is a *result.ArgumentError, and the
// connection stays open. Close may be called from anywhere, in callbacks too.
// Where the connection has already begun to close, from either side, Close
// changes nothing and returns an error that is net.ErrClosed.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.2
func (c *Conn) Close(code result.StatusCode, reason string) error {
	if err := check.Close(code, reason); err != nil {
		return err
	}
	c.source.unwanted.fire()
	if !c.closes(closeEvent{kind: onClose, code: code, reason: reason}) {
		return c.closedError()
	}
	return nil
}

// Shutdown closes the connection as [Conn.Close] does and waits for the terminal
// event: it is for a program that is about to exit. It returns nil after a success,
// and otherwise the error of the terminal event. If ctx ends first, the connection
// is cut as by [Conn.CloseNow], and Shutdown returns the cause of ctx. Where the
// connection has already begun to close, from either side, Shutdown only waits.
//
// A code or a reason that Close refuses is a *result.ArgumentError, as is a nil
// context; the connection stays open. Shutdown may be called from anywhere, many
// times; a callback or a loop over All that waits for it takes no messages
// meanwhile.
func (c *Conn) Shutdown(ctx context.Context, code result.StatusCode, reason string) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	if err := c.Close(code, reason); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	_, err := c.promise.Wait(ctx)
	if !c.ended() {
		c.CloseNow(err)
		return err
	}
	status, _ := c.promise.Status()
	return status.Err
}

// Fail closes the connection with 1011 because this program cannot go on with it.
// It is [Conn.Close], but the terminal event has this very error, whatever the peer
// answers. A nil error is a *result.General. Where the connection has already begun
// to close, from either side, Fail changes nothing.
//
// An error of the onReady of dial.Connect ends its connection in this way.
func (c *Conn) Fail(err error) {
	if err == nil {
		err = &result.General{Err: errors.New("the program failed the connection")}
	}
	c.source.unwanted.fire()
	c.closes(closeEvent{kind: onClose, code: result.StatusInternalError, err: err})
}

// CloseNow ends the connection at once: the terminal event is a
// *result.ConnectionFailed that wraps cause, unless the peer's Close or the
// event itself was there before. Nothing that is queued is sent any more,
// messages that were not taken yet are lost, and their memory is given back. A
// nil cause means net.ErrClosed.
//
// A client that closed in good order need not call it: the connection ends by
// itself, when the server has closed TCP or after Options.CloseTimeout. Messages
// that nobody has taken stay until somebody takes them or CloseNow is called.
func (c *Conn) CloseNow(cause error) {
	if cause == nil {
		cause = net.ErrClosed
	}
	c.closes(closeEvent{kind: onCloseNow, err: cause})
}

// flush sends what was accepted before the program called Close, and then reads
// on. It does not wait for a Writer: the Close frame may go between its fragments,
// and nothing will follow.
func (c *Conn) flush() {
	if !c.w.streaming.Load() {
		c.sinks.drain(context.Background())
		if c.lock(&c.w.sending) { // The Send that was under way has queued all of its message.
			c.w.sending.unlock()
		}
	}
	c.closes(closeEvent{kind: onFlushed})
	c.readOn()
}

// lock waits for the lock. It reports false if the connection ends first.
func (c *Conn) lock(m *ctxMutex) bool {
	if m.tryLock() {
		return true
	}
	select {
	case m.locking() <- struct{}{}:
		return true
	case <-c.Done():
		return false
	}
}

// readOn reads wherever no consumer does, until the terminal event.
func (c *Conn) readOn() {
	for !c.ended() {
		more, spent := c.lookOn()
		if more || spent && (c.discardOn() || c.extend()) {
			continue
		}
		<-c.Done()
	}
}

// lookOn looks ahead until a consumer reads, the connection ends, or there is
// nothing to look for. It reports whether there is more to look for, and if not,
// whether that is for the look-ahead's bound.
func (c *Conn) lookOn() (more, spent bool) {
	r := &c.r
	if !c.lock(&r.mu) {
		return false, false
	}
	defer r.release()
	r.ahead.run(r.ahead.bound, c.ended)
	spent = r.ahead.held.Load()
	return !r.over && !spent, !r.over && spent
}

// extend lets the look-ahead go further in search of the peer's Close. It returns
// false if that was done before.
func (c *Conn) extend() bool {
	c.r.acquire(context.Background())
	defer c.r.release()
	return c.r.ahead.extend()
}

// peerClosed takes the peer's Close frame.
func (c *Conn) peerClosed(payload []byte) {
	code, reason, err := wire.ParseClose(payload)
	switch err {
	case nil:
		c.closes(closeEvent{kind: onPeerClose, code: result.StatusCode(code), reason: reason})
	case wire.ErrCloseReason:
		c.fail(&result.ProtocolError{Code: result.StatusInvalidPayload, What: err.Error()})
	case wire.ErrCloseCode:
		c.fail(protocolError("%v: %d", err, code))
	default:
		c.fail(protocolError("%v", err))
	}
}

// closeWritten is told that our Close frame reached the kernel.
func (c *Conn) closeWritten() { c.closes(closeEvent{kind: onWritten}) }

// readFailed is told that no more bytes come. A Close frame did not come.
func (c *Conn) readFailed(err error) {
	if err == io.EOF {
		err = fmt.Errorf("the peer ended the connection without a Close frame: %w", err)
	}
	c.closes(closeEvent{kind: onReadEnd, err: err})
}

// writeFailed is told that nothing can be written any more.
func (c *Conn) writeFailed(err error) { c.closes(closeEvent{kind: onWriteError, err: err}) }

// terminate ends the connection for an operator that gives the peer up.
func (c *Conn) terminate(err error) { c.closes(closeEvent{kind: onSilence, err: err}) }

// expire is called at the deadline.
func (c *Conn) expire() {
	err := fmt.Errorf("no Close frame from the peer within %v", c.lasting.closeTimeout)
	c.closes(closeEvent{kind: onDeadline, err: err})
}

// fail ends the connection for what the peer, or an operator, did wrong.
func (c *Conn) fail(err error) {
	switch e := err.(type) {
	case *result.ProtocolError:
		c.abort(e.Code, e.What, c.closeOr(e))
	case *operatorFailure:
		c.abort(result.StatusInternalError, "", closeEvent{kind: onOperator, err: e.error})
	}
}

// abort ends a connection that cannot go on, and tells the peer the code and the
// reason.
func (c *Conn) abort(code result.StatusCode, reason string, why closeEvent) {
	why.code, why.reason = code, reason
	c.closes(why)
}

// with is the event of a program that fails.
func with(err error) closeEvent { return closeEvent{kind: onProgram, err: err} }

// closeOr is the event of a breach, of which nothing is said if the peer's Close
// is there.
func (c *Conn) closeOr(err error) closeEvent { return closeEvent{kind: onViolation, err: err} }

// closedError is what is returned to whoever asks for more than the end of a
// connection that has begun to close: net.ErrClosed, and what the connection ends
// with.
func (c *Conn) closedError() error {
	s := &c.close
	s.mu.Lock()
	defer s.mu.Unlock()
	s.know(c.lasting.good)
	said := "has begun to close"
	if s.phase >= phaseSettled {
		said = "has ended"
	}
	if why := s.why(); why != nil {
		return fmt.Errorf("wsflow: the connection %s: %w (%w)", said, net.ErrClosed, why)
	}
	return fmt.Errorf("wsflow: the connection %s: %w", said, net.ErrClosed)
}

// abandon gives up what was not taken yet.
func (c *Conn) abandon() {
	if c.quit.fire() {
		c.r.attention.Add(1)
		c.t.interrupt()
		go c.letGo() // ends when nobody reads any more
	}
}

// abandoned reports that the caller wants no more of the connection.
func (c *Conn) abandoned() bool { return c.quit.fired() }

// ended reports that the terminal event is there.
func (c *Conn) ended() bool {
	_, ok := c.promise.Status()
	return ok
}
