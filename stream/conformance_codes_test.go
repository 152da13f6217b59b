package stream_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A codeRange is a run of close codes of one kind.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4
type codeRange struct {
	section   string
	from, to  int
	mayBeSent bool
}

var codeRanges = []codeRange{
	{"7.4.2", 0, 499, false},
	{"7.4.2", 500, 999, false},
	{"7.4.1", 1000, 1003, true},
	{"7.4.1", 1004, 1004, false},
	{"7.4.1", 1005, 1005, false},
	{"7.4.1", 1006, 1006, false},
	{"7.4.1", 1007, 1011, true},
	{"7.4.1", 1012, 1014, true}, // registered with IANA since
	{"7.4.1", 1015, 1015, false},
	{"7.4.2", 1016, 1999, false},
	{"7.4.2", 2000, 2999, false},
	{"7.4.2", 3000, 3999, true},
	{"7.4.2", 4000, 4999, true},
	{"7.4.2", 5000, 5100, false},
	{"7.4.2", 9999, 10001, false},
	{"7.4.2", 32766, 32769, false},
	{"7.4.2", 65530, 65535, false},
}

// sweep runs the test for each code of the range in both roles, and counts each
// as a case.
func (r codeRange) sweep(t *testing.T, name string, test func(t *testing.T, s side, code int)) {
	t.Helper()
	for _, s := range sides {
		name := fmt.Sprintf("%s %s %d to %d/%s", r.section, name, r.from, r.to, s.name)
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for code := r.from; code <= r.to; code++ {
					failed := t.Failed()
					test(t, s, code)
					conformance.Count(r.section, !failed && t.Failed())
				}
			})
		})
	}
}

// A code that may be sent is a Close, echoed; success is 1000 alone. Others are
// a breach: 1004 is reserved, 1005, 1006 and 1015 "MUST NOT be set as a status
// code in a Close control frame", "0-999 are not used", and neither is what
// nobody has registered.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4.2
func TestSection7_4Received(t *testing.T) {
	for _, r := range codeRanges {
		r.sweep(t, "receiving", func(t *testing.T, s side, code int) {
			p := s.start(t, nil)
			defer p.End()
			app := takeAll(p.Conn)
			p.Sends(script.Close(code, "why"))
			if !r.mayBeSent {
				p.WantsClose(1002)
				app.fails(t, 1002)
				isBreach(t, ended(t, p.Conn, result.Status{Code: 1006, Sent: 1002}), 1002)
				return
			}
			p.WantsClose(code)
			c := result.StatusCode(code)
			err := ended(t, p.Conn, result.Status{Code: c, Reason: "why", ByPeer: true, Sent: c, Received: c})
			isCloseError(t, err, code, "why")
			within(t, "the end", app.done)
			isCloseError(t, app.err, code, "why")
		})
	}
}

// isCloseError holds an error against what a Close frame with the code must
// give.
func isCloseError(t *testing.T, err error, code int, reason string) {
	t.Helper()
	var closed *result.CloseError
	switch {
	case code == 1000 || code == 1005:
		if err != nil {
			t.Errorf("code %d: the error is %v, want none", code, err)
		}
	case !errors.As(err, &closed) || closed.Code != result.StatusCode(code) || closed.Reason != reason:
		t.Errorf("code %d: the error is %#v (%v), want a CloseError", code, err, err)
	}
}

func TestSection7_4Sent(t *testing.T) {
	for _, r := range codeRanges {
		if r.mayBeSent {
			r.sweep(t, "sending", func(t *testing.T, s side, code int) {
				p := s.start(t, nil)
				defer p.End()
				takeAll(p.Conn)
				if err := p.Conn.Close(result.StatusCode(code), "why"); err != nil {
					t.Errorf("Close(%d): %v", code, err)
				}
				if reason := p.WantsClose(code); reason != "why" {
					t.Errorf("the reason came as %q", reason)
				}
				p.Sends(script.Close(1000, ""))
				endedPlainly(t, p.Conn, result.Status{Code: 1000, Sent: result.StatusCode(code), Received: 1000})
			})
			continue
		}
		var p *script.Peer
		r.sweep(t, "refusing to send", func(t *testing.T, s side, code int) {
			if code == r.from {
				p = s.start(t, nil)
			}
			isArgument(t, p.Conn.Close(result.StatusCode(code), "why"))
			if code == r.to {
				takeAll(p.Conn)
				isOpen(t, p)
			}
		})
	}
	inBothRoles(t, "7.4.2", "refusing to send what does not fit 16 bits", func(t *testing.T, s side) {
		p := s.start(t, nil)
		for _, code := range []int{-1, -1000, math.MinInt, 65536, 65536 + 1000, 65536 + 4000, 70000, math.MinInt + 1000, math.MaxInt} {
			isArgument(t, p.Conn.Close(result.StatusCode(code), ""))
		}
		takeAll(p.Conn)
		isOpen(t, p)
	})
}

// "an endpoint initiates a closure by following the procedures to _Start the
// WebSocket Closing Handshake_"; 1000 "indicates a normal closure".
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.3
func TestSection7_3Normal(t *testing.T) {
	inBothRoles(t, "7.3", "after an exchange of messages", func(t *testing.T, s side) {
		p := s.start(t, nil)
		app := takeAll(p.Conn)
		p.Sends(script.Text("question"))
		if err := p.Conn.SendText(ctx, "answer"); err != nil {
			t.Fatal(err)
		}
		if err := p.Conn.Close(1000, "done"); err != nil {
			t.Fatal(err)
		}
		p.Wants("what was sent before the close", script.Text("answer"))
		p.WantsClose(1000)
		p.Sends(script.Close(1000, "done"))
		app.ends(t, nil)
		sameMessages(t, app.messages, []stream.Message{text("question")})
	})
}
