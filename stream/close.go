package stream

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// closing is the state of the closing handshake.
//
// The terminal event comes when both Close frames have passed, or when no
// Close can come from the peer any more. After it, the transport is closed:
// the server begins, the client follows; each waits for the other until the time
// is up.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1
type closing struct {
	mu      sync.Mutex
	begun   event // no more messages are accepted
	*ending       // nil until then
}

// ending is the part that only a connection has which has begun to close.
type ending struct {
	deadline *time.Timer // bounds what is left
	status   result.Status
	answered bool  // our Close frame reached the kernel, or cannot
	broken   error // why nothing can be written, if so
	settled  bool
	resting  bool // linger has begun
}

// begin stops accepting messages, under the lock, and starts the clock. It
// reports whether it was the first to do so.
func (c *Conn) begin() bool {
	s := &c.close
	if s.ending != nil {
		return false
	}
	s.ending = &ending{deadline: time.AfterFunc(c.lasting.closeTimeout, c.expire)}
	return s.begun.fire()
}

// Close starts the closing handshake and returns; [Conn.Done] and [Conn.Result]
// tell when it is done. What was accepted before, and what stands in the Sinks'
// channels, is sent first. Then the Close frame goes out, and reading goes on
// until the peer's Close, but not longer than Options.CloseTimeout. Messages
// that come until then are delivered; where nobody has ever taken one, and more
// wait than the look-ahead holds, all of them are discarded, with a warning.
// While a Writer has not ended its message, Close does not wait for it: the
// Sinks' channels and the rest of that message are not sent.
//
// The code is one of 1000 to 1003, 1007 to 1014, 3000 to 4999; the reason is
// UTF-8 of at most 123 bytes. The code 1005 with an empty reason sends a Close
// frame without a code. Anything else is a *result.ArgumentError, and the
// connection stays open. Close may be called from anywhere, in callbacks too.
// Where the connection has already begun to close, from either side, Close
// changes nothing and returns an error that is net.ErrClosed.
func (c *Conn) Close(code result.StatusCode, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	c.close.mu.Lock()
	first := c.begin()
	c.close.mu.Unlock()
	if !first {
		return c.w.closedError()
	}
	go c.shut(code, reason) // ends with the terminal event
	return nil
}

func checkClose(code result.StatusCode, reason string) error {
	const limit = wire.MaxControl - 2
	switch {
	case code == result.StatusNoStatusRcvd && reason != "":
		return &result.ArgumentError{Name: "reason", Value: reason, Allowed: "an empty one with code 1005, which sends no code"}
	case code != result.StatusNoStatusRcvd && !code.Sendable():
		return &result.ArgumentError{Name: "close code", Value: int(code), Allowed: codesAllowed + ", or 1005 to send none"}
	case len(reason) > limit:
		return &result.ArgumentError{Name: "reason", Value: reason, Allowed: "up to " + strconv.Itoa(limit) + " bytes; it has " + strconv.Itoa(len(reason))}
	case !utf8.ValidString(reason):
		return &result.ArgumentError{Name: "reason", Value: reason, Allowed: "valid UTF-8"}
	}
	return nil
}

// shut sends what was accepted and the Close frame, and then reads on wherever
// no consumer does, until the terminal event. It does not wait for a Writer:
// the Close frame may go between its fragments, and nothing will follow.
func (c *Conn) shut(code result.StatusCode, reason string) {
	if !c.w.streaming.Load() {
		c.sinks.drain(context.Background())
		c.lastTurn()
	}
	c.close.mu.Lock()
	if c.w.finish(code, reason) {
		c.close.status.Sent = code
	}
	c.close.mu.Unlock()
	c.w.kick()
	c.readOn()
}

// lastTurn waits for the Send that has the turn, so that its message is sent
// whole.
func (c *Conn) lastTurn() {
	if !c.w.sending.tryLock() {
		select {
		case c.w.sending.locking() <- struct{}{}:
		case <-c.Done():
			return
		}
	}
	c.w.sending.unlock()
}

// readOn reads wherever no consumer does, until the terminal event.
func (c *Conn) readOn() {
	for !c.ended() {
		if !c.r.mu.tryLock() {
			select {
			case c.r.mu.locking() <- struct{}{}:
			case <-c.Done():
				return
			}
		}
		c.r.ahead.run(c.ended)
		idle := c.r.over || c.r.ahead.held.Load() && !c.discard() && !c.r.ahead.extend()
		c.r.release()
		if idle {
			<-c.Done()
			return
		}
	}
}

// discard drops what was read, under the reader's lock, if nobody has ever
// taken a message: the peer's Close is all that is waited for then.
func (c *Conn) discard() bool {
	first, ok := c.source.discard()
	if !ok {
		return false
	}
	if first {
		c.log().Warn("messages that nobody took are discarded to finish the closing handshake")
	}
	c.r.discard()
	return true
}

// received takes the peer's Close frame, and answers it unless our own is on
// its way.
//
// "If an endpoint receives a Close frame and did not previously send a Close
// frame, the endpoint MUST send a Close frame in response."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func (c *Conn) received(code result.StatusCode, reason string) {
	echo := code
	if !echo.Sendable() {
		echo = result.StatusNoStatusRcvd
	}
	s := &c.close
	s.mu.Lock()
	c.begin()
	s.status.Received, s.status.Code, s.status.Reason = code, code, reason
	if c.w.finish(echo, "") {
		s.status.Sent, s.status.ByPeer = echo, true
	}
	answered := s.answered
	s.mu.Unlock()
	if answered {
		c.conclude()
	}
	c.w.kick()
}

// closeWritten is told that our Close frame reached the kernel.
func (c *Conn) closeWritten() {
	s := &c.close
	s.mu.Lock()
	s.answered = true
	over, received := s.settled, s.status.Received != 0
	s.mu.Unlock()
	switch {
	case over:
		c.rest()
	case received:
		c.conclude()
	}
}

// rest begins to linger, once the terminal event is there and the last word was
// written.
func (c *Conn) rest() {
	s := &c.close
	s.mu.Lock()
	now := s.settled && s.answered && !s.resting
	s.resting = s.resting || now
	s.mu.Unlock()
	if now {
		go c.linger() // ends with the transport, or at the deadline
	}
}

// conclude ends the connection with the peer's Close.
func (c *Conn) conclude() {
	if c.end(c.concluded) {
		c.rest()
	}
}

// concluded makes the final status of one that has the peer's Close.
func (c *Conn) concluded(s result.Status) result.Status {
	if !c.success(s.Code) {
		s.Err = &result.CloseError{Code: s.Code, Reason: s.Reason}
	}
	return s
}

func (c *Conn) success(code result.StatusCode) bool {
	return code == result.StatusNormalClosure || code == result.StatusNoStatusRcvd || slices.Contains(c.lasting.successCodes, code)
}

// end settles the terminal event, once, with what outcome makes of all that is
// known by then.
func (c *Conn) end(outcome func(result.Status) result.Status) bool {
	s := &c.close
	s.mu.Lock()
	c.begin()
	first := !s.settled
	s.settled = true
	status := outcome(s.status)
	s.mu.Unlock()
	if first {
		c.announce(status)
	}
	return first
}

// announce lets everybody know of the terminal event.
func (c *Conn) announce(status result.Status) {
	c.settle(status)
	c.clock.stop()
	c.t.interrupt()
}

// terminate is lost that also closes the transport.
func (c *Conn) terminate(cause error) {
	if c.lost(cause) {
		go c.t.cut() // closes a socket and returns
	}
}

// lost settles the end of a connection that gets no Close from the peer any
// more. The transport is left to the caller.
func (c *Conn) lost(cause error) bool { return c.end(c.closeOr(cause)) }

// closeOr is the outcome of a connection that is given up: the peer's Close if
// that has come, or a failure for want of one.
func (c *Conn) closeOr(cause error) func(result.Status) result.Status {
	return func(s result.Status) result.Status {
		if s.Received != 0 {
			return c.concluded(s)
		}
		s.Code, s.Err = result.StatusAbnormalClosure, &result.ConnectionFailed{Err: cause}
		return s
	}
}

// with is the outcome of a connection that this side ends with an error of its
// own, whatever the peer has said.
func with(err error) func(result.Status) result.Status {
	return func(s result.Status) result.Status {
		if s.Received == 0 {
			s.Code = result.StatusAbnormalClosure
		}
		s.Err = err
		return s
	}
}

// fail ends the connection for what the peer, or an operator, did wrong. The
// peer is told the code, and has until the deadline to read it.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.7
func (c *Conn) fail(err error) {
	switch e := err.(type) {
	case *result.ProtocolError:
		c.abort(e.Code, e.What, c.closeOr(e))
	case *operatorFailure:
		c.abort(result.StatusInternalError, "", with(&result.ConnectionFailed{Err: e.error}))
	}
}

// abort sends a Close frame and settles with the outcome in one step, without
// waiting for the peer's Close: one that comes in this very instant is not
// looked at any more.
//
// "An endpoint MUST NOT continue to attempt to process data (including a
// responding Close frame) from the remote endpoint after being instructed to
// _Fail the WebSocket Connection_."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.7
func (c *Conn) abort(code result.StatusCode, reason string, outcome func(result.Status) result.Status) {
	s := &c.close
	s.mu.Lock()
	c.begin()
	if s.settled {
		s.mu.Unlock()
		return
	}
	if c.w.finish(code, cutReason(reason)) {
		s.status.Sent = code
	}
	s.settled = true
	status := outcome(s.status)
	s.mu.Unlock()
	c.announce(status)
	c.rest()
	c.w.kick()
}

// cutReason shortens a text to what a Close frame holds, between runes.
func cutReason(s string) string {
	const limit = wire.MaxControl - 2
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= limit {
		return s
	}
	n := limit
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// readFailed is told that no more bytes come. A Close frame did not come.
func (c *Conn) readFailed(err error) {
	c.close.mu.Lock()
	var broken error
	if c.close.ending != nil {
		broken = c.close.broken
	}
	c.close.mu.Unlock()
	switch {
	case broken != nil:
		err = broken
	case err == io.EOF:
		err = fmt.Errorf("the peer ended the connection without a Close frame: %w", err)
	}
	c.terminate(err)
}

// writeFailed is told that nothing can be written any more. The peer's last
// words may still be on their way, so reading goes on until the deadline.
func (c *Conn) writeFailed(err error) {
	c.w.broke()
	s := &c.close
	s.mu.Lock()
	first := c.begin()
	s.broken, s.answered = err, true
	over, received := s.settled, s.status.Received != 0
	s.mu.Unlock()
	switch {
	case over:
		c.rest()
	case received:
		c.conclude()
	case first:
		go c.readOn() // ends with the terminal event
	}
}

// expire is called at the deadline.
func (c *Conn) expire() {
	c.close.mu.Lock()
	broken := c.close.broken
	c.close.mu.Unlock()
	if broken == nil {
		broken = fmt.Errorf("no Close frame from the peer within %v", c.lasting.closeTimeout)
	}
	c.lost(broken)
	c.t.cut()
}

// CloseNow ends the connection at once: the terminal event is a
// *result.ConnectionFailed that wraps cause, unless the peer's Close or the
// event itself was there before. Nothing that is queued is sent any more, and
// messages that were not taken yet are lost. A nil cause means net.ErrClosed.
//
// A client that closed in good order need not call it: the connection ends by
// itself, when the server has closed TCP or after Options.CloseTimeout.
func (c *Conn) CloseNow(cause error) {
	if cause == nil {
		cause = net.ErrClosed
	}
	if c.quit.fire() {
		c.r.attention.Add(1)
	}
	c.lost(cause)
	c.t.interrupt()
	c.t.cut()
	c.close.deadline.Stop()
}

// abandoned reports that the caller wants no more of the connection.
func (c *Conn) abandoned() bool { return c.quit.fired() }

// ended reports that the terminal event is there.
func (c *Conn) ended() bool {
	_, ok := c.promise.Status()
	return ok
}
