package interop

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// An ending is a Close frame: 1005 has no code.
type ending struct {
	code   result.StatusCode
	reason string
}

func (e ending) String() string { return strings.TrimSpace(fmt.Sprintf("%d %.12s", e.code, e.reason)) }

var endings = []ending{
	{1000, "done"},
	{1000, ""},
	{1005, ""},
	{1001, "going away"},
	{1011, "an error"},
	{3000, "registered"},
	{4001, "private: größer"},
	{4999, strings.Repeat("é", 61) + "z"},
}

// status is the terminal event that this Close of the peer is to give. The peer's
// answer with the code that we closed with is a success.
func (e ending) status(byPeer bool, sent result.StatusCode) status {
	s := status{Code: e.code, Reason: e.reason, ByPeer: byPeer, Sent: sent, Received: e.code}
	if echoed := !byPeer && sent == e.code; e.code != 1000 && e.code != 1005 && !echoed {
		s.Err = &result.CloseError{Code: e.code, Reason: e.reason}
	}
	return s
}

// isClosed begins with us: the peer must see our Close and answer as it is known to.
func isClosed(t *testing.T, r *running) {
	for _, e := range endings {
		t.Run(e.String(), func(t *testing.T) {
			conn := r.dial(t, standard, &dial.Options{})
			if err := conn.Close(e.code, e.reason); err != nil {
				t.Fatal(err)
			}
			ends(t, conn, r.peer.replies(e).status(false, e.code))
			r.seen.wait(t, int(e.code), e.reason)
		})
	}
}

// closes begins with the peer.
func closes(t *testing.T, r *running) {
	for _, e := range endings {
		if r.peer.cannotClose != nil && r.peer.cannotClose(e) {
			continue
		}
		for _, to := range takers {
			t.Run(e.String()+"/"+to.name, func(t *testing.T) {
				conn := r.dial(t, standard, &dial.Options{})
				got := to.take(t.Context(), conn, -1)
				sendEach(t, conn, []stream.Message{text("before"), text(closeOrder(e))})
				want := e.status(true, e.code)
				if err := gives(t, got, []stream.Message{text("before")}); !sameError(err, want.Err) {
					t.Errorf("taking ended with %v, want %v", err, want.Err)
				}
				ends(t, conn, want)
			})
		}
	}
}

func closeOrder(e ending) string {
	if e.code == 1005 {
		return "close"
	}
	return strings.TrimSpace(fmt.Sprint("close ", e.code, " ", e.reason))
}

// ends waits for the terminal event, which must be this one.
func ends(t *testing.T, conn *stream.Conn, want status) {
	t.Helper()
	got := statusOf(t, conn)
	plain := got
	plain.Err = want.Err
	if plain != want || !sameError(got.Err, want.Err) {
		t.Errorf("the connection ended with\n%+v, want\n%+v", got, want)
	}
}

func statusOf(t *testing.T, conn *stream.Conn) status {
	t.Helper()
	if !within(t, conn.Done()) {
		t.Fatal("the connection does not end")
	}
	s, _ := conn.Result().Status()
	return s
}

// sameError compares errors that are nil or a *result.CloseError.
func sameError(got, want error) bool {
	if want == nil {
		return got == nil
	}
	var closed *result.CloseError
	return errors.As(got, &closed) && *closed == *want.(*result.CloseError)
}

// dies has the peer send messages and end TCP without a Close frame. All of
// them must be delivered before the connection fails.
func dies(order string) func(*testing.T, *running) {
	return func(t *testing.T, r *running) {
		const count = 100
		var want []stream.Message
		for i := range count {
			want = append(want, text(fmt.Sprintf("message %d", i)))
		}
		for _, o := range outfits {
			for _, to := range takers {
				t.Run(o.name+"/"+to.name, func(t *testing.T) {
					conn := r.dial(t, standard, &dial.Options{Operators: o.operators})
					got := to.take(t.Context(), conn, -1)
					sendEach(t, conn, []stream.Message{text(fmt.Sprint(order, " ", count))})
					isFailed(t, r, order, gives(t, got, want))
					s := statusOf(t, conn)
					isFailed(t, r, order, s.Err)
					s.Err = nil
					if s != (status{Code: 1006}) {
						t.Errorf("the connection ended with %+v, want the code 1006 and nothing else", s)
					}
				})
			}
		}
	}
}

func isFailed(t *testing.T, r *running, order string, err error) {
	t.Helper()
	var failed *result.ConnectionFailed
	var breach *result.ProtocolError
	if !errors.As(err, &failed) || errors.As(err, &breach) {
		t.Errorf("the error is %v, want a ConnectionFailed and no ProtocolError", err)
	}
	if order == "reset" && !r.peer.proxied && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the error is %v, want one that wraps %v", err, syscall.ECONNRESET)
	}
}
