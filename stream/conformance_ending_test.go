package stream_test

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// "If _The WebSocket Connection is Closed_ and no Close control frame was
// received by the endpoint [...], _The WebSocket Connection Close Code_ is
// considered to be 1006."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.5
func TestSection7_1_5Code(t *testing.T) {
	inBothRoles(t, "7.1.5", "cut while open", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Text("a"))
		p.Cuts()
		within(t, "the end", app.done)
		isFailed(t, app.err, io.EOF, io.ErrUnexpectedEOF)
		sameMessages(t, app.messages, []stream.Message{text("a")})
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006}))
	})
	inBothRoles(t, "7.1.5", "cut after our close", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Cuts()
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1000}))
	})
	inBothRoles(t, "7.1.5", "cut inside the peer's close", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Sends(script.Close(1000, "bye").First(4))
		p.Cuts()
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006}))
	})
	inBothRoles(t, "7.1.5", "the first of two close frames counts", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Sends(script.Close(1001, "first"), script.Close(1000, "second"))
		p.WantsClose(1001)
		ended(t, p.Conn, result.Status{Code: 1001, Reason: "first", ByPeer: true, Sent: 1001, Received: 1001})
	})
	inBothRoles(t, "7.1.5", "no code", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Sends(script.CloseEmpty())
		endedPlainly(t, p.Conn, result.Status{Code: 1005, Sent: 1000, Received: 1005})
	})
}

// The reason is "the UTF-8-encoded data following the status code".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.6
func TestSection7_1_6Reason(t *testing.T) {
	inBothRoles(t, "7.1.6", "received reasons of 0 to 123 bytes", func(t *testing.T, s side) {
		for n := range 124 {
			p := s.start(t, nil)
			takeAll(p.Conn)
			p.Sends(script.Close(1000, letters(n)))
			p.WantsClose(1000)
			endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: letters(n), ByPeer: true, Sent: 1000, Received: 1000})
			p.End()
		}
	})
	inBothRoles(t, "7.1.6", "every plane", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.SendsIn(1, script.Close(1000, "a\x00é€🎉\U0010FFFF"))
		p.WantsClose(1000)
		endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "a\x00é€🎉\U0010FFFF", ByPeer: true, Sent: 1000, Received: 1000})
	})
	run(t, "7.1.6", []inbound{{name: "a received reason of 124 bytes", sends: []script.Frame{script.Close(1000, letters(124))}, breach: 1002}})
}

// "An endpoint MUST NOT continue to attempt to process data (including a
// responding Close frame) from the remote endpoint after being instructed to
// _Fail the WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.7
func TestSection7_1_7Fail(t *testing.T) {
	bad := script.Of(3, "")
	run(t, "7.1.7", []inbound{
		{name: "a close after it", sends: []script.Frame{bad, script.Close(1000, "")}, breach: 1002},
		{name: "a message after it", sends: []script.Frame{bad, script.Text("late")}, breach: 1002},
		{name: "a ping after it", sends: []script.Frame{bad, script.Ping("late")}, breach: 1002},
		{name: "a worse breach after it", sends: []script.Frame{bad, script.Text("\xff")}, breach: 1002},
	})
	inBothRoles(t, "7.1.7", "a responding close", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Sends(bad)
		p.WantsClose(1002)
		p.Sends(script.Close(1002, "I see"))
		isBreach(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1002}), 1002)
		p.WantsEOF()
	})
	inBothRoles(t, "7.1.7", "a breach after our close", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Sends(bad)
		p.WantsEOF()
		isBreach(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1000}), 1002)
	})
	inBothRoles(t, "7.1.7", "a breach before anybody takes", func(t *testing.T, s side) {
		p := s.start(t, nil)
		p.Sends(script.Text("a"), bad)
		app := takeAll(p.Conn)
		p.WantsClose(1002)
		app.fails(t, 1002)
		sameMessages(t, app.messages, []stream.Message{text("a")})
	})
	inBothRoles(t, "7.1.7", "a breach that the peer does not want to hear of", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.StopsReading()
		p.Sends(bad)
		app.fails(t, 1002)
	})
}

// "If at any point the underlying transport layer connection is unexpectedly
// lost, the client MUST _Fail the WebSocket Connection_."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.2
func TestSection7_2Abnormal(t *testing.T) {
	inBothRoles(t, "7.2", "lost while a send waits", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		p.StopsReading()
		sent := make(chan error, 1)
		go func() {
			for {
				if err := p.Conn.SendBinary(ctx, filler(1<<20)); err != nil {
					sent <- err
					return
				}
			}
		}()
		synctest.Wait()
		p.Cuts()
		if err := within(t, "the waiting send", sent); err == nil {
			t.Error("the send was accepted")
		}
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006}))
	})
	inBothRoles(t, "7.2", "lost while idle, nobody takes", func(t *testing.T, s side) {
		p := s.start(t, nil)
		p.Cuts()
		takeAll(p.Conn)
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006}))
	})
	inBothRoles(t, "7.2", "CloseNow", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Conn.CloseNow(errTest)
		within(t, "the end", app.done)
		isFailed(t, app.err, errTest)
		isFailed(t, ended(t, p.Conn, result.Status{Code: 1006}), errTest)
		p.WantsEOF()
	})
}
