package stream_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// ended is what a status must be, but for its error.
func ended(t *testing.T, c *stream.Conn, want result.Status) error {
	t.Helper()
	got := status(t, c)
	err := got.Err
	got.Err = nil
	if got != want {
		t.Errorf("the status is %+v, want %+v", got, want)
	}
	return err
}

// endedPlainly is ended for a success.
func endedPlainly(t *testing.T, c *stream.Conn, want result.Status) {
	t.Helper()
	if err := ended(t, c, want); err != nil {
		t.Errorf("the status has the error %v", err)
	}
}

// "If there is a body, the first two bytes of the body MUST be a 2-byte
// unsigned integer"; then "the body MAY contain UTF-8-encoded data".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func TestSection5_5_1Bodies(t *testing.T) {
	var cases []inbound
	for _, half := range []string{"\x00", "\x03", "\xe8", "\xff"} {
		cases = append(cases, inbound{
			name:  fmt.Sprintf("a body of one byte % x", half),
			sends: []script.Frame{script.Text("a"), script.Of(script.OpClose, half)}, yields: []stream.Message{text("a")}, breach: 1002,
		})
	}
	reasons := map[string]string{
		"half a rune": "bye \xe2\x82", "a lone byte": "\xff", "a surrogate": "\xed\xa0\x80", "an overlong NUL": "\xc0\x80",
		"beyond U+10FFFF": "\xf4\x90\x80\x80", "a fault in the last of 123 bytes": letters(122) + "\x80",
	}
	for name, reason := range reasons {
		cases = append(cases, inbound{name: "a reason with " + name, sends: []script.Frame{script.Close(1000, reason)}, breach: 1007})
	}
	run(t, "5.5.1", cases)
}

// "If an endpoint receives a Close frame and did not previously send a Close
// frame, the endpoint MUST send a Close frame in response." It "typically echos
// the status code it received".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func TestSection5_5_1Response(t *testing.T) {
	for _, w := range ways {
		inBothRoles(t, "5.5.1", "a close with a code/"+w.name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			app := takeAll(p.Conn)
			w.send(p, script.Close(1000, "bye"))
			p.WantsClose(1000)
			app.ends(t, nil)
			endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "bye", ByPeer: true, Sent: 1000, Received: 1000})
		})
		inBothRoles(t, "5.5.1", "a close without a code/"+w.name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			app := takeAll(p.Conn)
			w.send(p, script.CloseEmpty())
			p.WantsClose(1005)
			app.ends(t, nil)
			endedPlainly(t, p.Conn, result.Status{Code: 1005, ByPeer: true, Sent: 1005, Received: 1005})
		})
	}
	aways := map[string]func(t *testing.T, c *stream.Conn){
		"nobody takes":    func(*testing.T, *stream.Conn) {},
		"a pause is held": func(_ *testing.T, c *stream.Conn) { c.Pause() },
		"All's loop is away": func(t *testing.T, c *stream.Conn) {
			go func() {
				for range c.All(t.Context()) {
					<-t.Context().Done()
				}
			}()
		},
	}
	for name, away := range aways {
		inBothRoles(t, "5.5.1", "a close while "+name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			away(t, p.Conn)
			p.Sends(script.Text("a"), script.Text("b"))
			synctest.Wait()
			p.Sends(script.Close(1000, ""))
			p.WantsClose(1000)
			endedPlainly(t, p.Conn, result.Status{Code: 1000, ByPeer: true, Sent: 1000, Received: 1000})
		})
	}
	inBothRoles(t, "5.5.1", "a close that nobody lets us answer", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.StopsReading()
		p.Sends(script.Close(4000, "bye"))
		p.Cuts()
		within(t, "the end", app.done)
		got := status(t, p.Conn)
		if got.Code != 4000 || got.Reason != "bye" || got.Received != 4000 || !got.ByPeer {
			t.Errorf("the status is %+v, want the peer's code and reason", got)
		}
	})
}

// "The application MUST NOT send any more data frames after sending a Close
// frame." The script sees to that for every frame; here there is always
// something that could still be sent.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func TestSection5_5_1NoDataAfter(t *testing.T) {
	inBothRoles(t, "5.5.1", "senders in the middle of their work", func(t *testing.T, s side) {
		p := s.start(t, &stream.Options{FragmentSize: 1000})
		takeAll(p.Conn)
		for range 4 {
			go func() {
				for p.Conn.SendBinary(ctx, filler(2500)) == nil {
				}
			}()
		}
		for range 50 {
			p.Next("a frame")
		}
		if err := p.Conn.Close(1000, ""); err != nil {
			t.Error(err)
		}
		for p.Next("frames, and a close").Opcode != script.OpClose {
		}
		p.Sends(script.Close(1000, ""))
		status(t, p.Conn)
		synctest.Wait()
	})
	inBothRoles(t, "5.5.1", "a Writer in the middle of a message", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		w, err := p.Conn.Writer(ctx, stream.Text)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, letters(200000))
		p.Sends(script.Close(1000, ""))
		for p.Next("fragments, and a close").Opcode != script.OpClose {
		}
		if _, err := io.WriteString(w, "late"); err == nil {
			if err = w.Close(); err == nil {
				t.Error("the Writer's message was taken after the end")
			}
		}
		synctest.Wait()
	})
	inBothRoles(t, "5.5.1", "only one close frame is sent", func(t *testing.T, s side) {
		p := s.start(t, nil)
		takeAll(p.Conn)
		if err := p.Conn.Close(4000, "first"); err != nil {
			t.Fatal(err)
		}
		p.Conn.Close(4001, "second")
		if reason := p.WantsClose(4000); reason != "first" {
			t.Errorf("the reason is %q", reason)
		}
		p.Conn.Close(4002, "third")
		p.Sends(script.Close(4000, ""))
		status(t, p.Conn)
		p.Conn.Close(4003, "fourth")
		synctest.Wait()
	})
}

// The data that the peer sends before its Close frame counts, also when this
// side has sent its own; what it sends after its Close frame does not.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.1
func TestSection5_5_1DataAround(t *testing.T) {
	inBothRoles(t, "5.5.1", "data between our close and the peer's", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Conn.Close(1000, "")
		p.WantsClose(1000)
		p.Sends(script.Text("on its way"), script.Text("in ").Open(), script.Last("parts"))
		p.Sends(script.Close(1000, ""))
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text("on its way"), text("in parts")})
	})
	for _, w := range ways {
		inBothRoles(t, "5.5.1", "data after the peer's close/"+w.name, func(t *testing.T, s side) {
			p := s.start(t, nil)
			app := takeAll(p.Conn)
			w.send(p, script.Text("before"), script.Close(1000, "bye"), script.Text("after"), script.Ping("after"), script.Close(4000, "after"), script.Of(3, ""))
			p.WantsClose(1000)
			app.ends(t, nil)
			sameMessages(t, app.messages, []stream.Message{text("before")})
			endedPlainly(t, p.Conn, result.Status{Code: 1000, Reason: "bye", ByPeer: true, Sent: 1000, Received: 1000})
		})
	}
}
