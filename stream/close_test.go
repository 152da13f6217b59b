package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Close with the program's own code that the peer answers with the same one is a
// success, on every face.
func TestOwnCodeIsSuccess(t *testing.T) {
	for _, test := range []struct {
		ours, theirs int
		success      bool
	}{{1001, 1001, true}, {4000, 4000, true}, {4000, 1000, true}, {4000, 4001, false}, {1000, 1001, false}} {
		onEachFace(t, fmt.Sprintf("%d, %d", test.ours, test.theirs), nil, func(t *testing.T, f face, p *script.Peer) {
			tk := f.take(ctx, p.Conn)
			p.Conn.Close(result.StatusCode(test.ours), "")
			p.WantsClose(test.ours)
			p.Sends(script.Close(test.theirs, "why"))
			_, err := tk.ends(t)
			s := status(t, p.Conn)
			if s.Err != err || int(s.Code) != test.theirs || int(s.Sent) != test.ours {
				t.Errorf("%s ended with %v, the status is %+v", f.name, err, s)
			}
			if test.success != (err == nil) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// A code that the library sent for a failure is no success when the peer answers
// with the same one: the connection ends with the failure.
func TestCodeOfAFailureIsNoSuccess(t *testing.T) {
	onEachFace(t, "Fail", nil, func(t *testing.T, f face, p *script.Peer) {
		tk := f.take(ctx, p.Conn)
		p.Sends(script.Text("before"))
		synctest.Wait()
		if err := p.Conn.SendText(ctx, "last words"); err != nil {
			t.Error(err)
		}
		p.Conn.Fail(errTest)
		p.Wants("what was sent before", script.Text("last words"))
		p.WantsClose(1011)
		p.Sends(script.Close(1011, ""))
		messages, err := tk.ends(t)
		sameMessages(t, messages, []stream.Message{text("before")})
		if err != errTest {
			t.Errorf("%s ended with %v", f.name, err)
		}
		p.Conn.Fail(errors.New("too late"))
		if err := ended(t, p.Conn, result.Status{Code: 1011, Sent: 1011, Received: 1011}); err != errTest {
			t.Errorf("the status has the error %v", err)
		}
	})
	bubble(t, "without an error", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Conn.Fail(nil)
		if err := status(t, p.Conn).Err; !errors.As(err, new(*result.General)) {
			t.Errorf("the error is %v", err)
		}
	})
}

// A halfDead transport has a Write that fails from some time on. Its Read waits.
type halfDead struct {
	net.Conn
	dead atomic.Bool
}

func (h *halfDead) Write(p []byte) (int, error) {
	if h.dead.Load() {
		return 0, errTest
	}
	return h.Conn.Write(p)
}

// From a failed write on, whatever is sent is refused with its cause, although
// the peer's last words are still waited for; they are delivered.
func TestRefusalAfterFailedWriteHasTheCause(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		h := &halfDead{Conn: ours}
		c, err := stream.New(h, stream.Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.dead.Store(true)
		app := takeAll(c)
		c.SendText(ctx, "the write fails")
		synctest.Wait()
		if _, ended := c.Result().Status(); ended {
			t.Fatal("it has ended already")
		}
		w, werr := c.Writer(ctx, stream.Text)
		if w != nil {
			t.Error("there is a Writer")
		}
		for name, err := range map[string]error{
			"Send": c.SendText(ctx, "a"), "Writer": werr, "Close": c.Close(1000, ""),
		} {
			if !errors.Is(err, net.ErrClosed) || !errors.Is(err, errTest) {
				t.Errorf("%s gives %v, want net.ErrClosed and the cause", name, err)
			}
		}
		theirs.Write([]byte{0x81, 1, 'a'})
		isFailed(t, status(t, c).Err, errTest)
		within(t, "the end of All's loop", app.done)
		sameMessages(t, app.messages, []stream.Message{text("a")})
	})
}

// What is refused after a success has no cause, and says nothing of sending.
func TestRefusalAfterSuccess(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		takeAll(p.Conn)
		p.Sends(script.Close(1000, ""))
		status(t, p.Conn)
		const want = "wsflow: the connection has ended: use of closed network connection"
		for name, err := range map[string]error{"Send": p.Conn.SendText(ctx, "a"), "Close": p.Conn.Close(1000, "")} {
			if !errors.Is(err, net.ErrClosed) || err.Error() != want {
				t.Errorf("%s gives %v, want %s", name, err, want)
			}
		}
	})
}

// Once somebody has taken messages none is discarded: the peer's Close is looked for
// behind more of them than the look-ahead holds, and they stay.
func TestCloseIsFoundBehindMessages(t *testing.T) {
	onEachFace(t, "", bounded(), func(t *testing.T, f face, p *script.Peer) {
		p.Sends(script.Text("first"))
		for range p.Conn.All(ctx) {
			break
		}
		p.Conn.Close(1000, "")
		flood(p, 0, 30)
		p.Sends(script.Close(1000, ""))
		synctest.Wait()
		if _, ended := p.Conn.Result().Status(); !ended {
			t.Error("the peer's Close was not found")
		}
		messages, err := f.take(ctx, p.Conn).ends(t)
		if err != nil {
			t.Error(err)
		}
		sameMessages(t, messages, countedFrom(0, 30))
	})
}

func TestShutdown(t *testing.T) {
	inRoles := func(name string, test func(t *testing.T, p *script.Peer)) {
		for _, s := range sides {
			bubble(t, name+"/"+s.name, func(t *testing.T) { test(t, s.start(t, nil)) })
		}
	}
	down := func(ctx context.Context, p *script.Peer) <-chan error {
		done := make(chan error, 1)
		go func() { done <- p.Conn.Shutdown(ctx, 4000, "bye") }()
		return done
	}
	inRoles("waits for the peer's Close", func(t *testing.T, p *script.Peer) {
		sink := p.Conn.Sink(t.Context(), nil)
		sink <- text("queued before")
		done := down(ctx, p)
		p.Wants("what was queued before", script.Text("queued before"))
		p.WantsClose(4000)
		synctest.Wait()
		if len(done) > 0 {
			t.Error("it did not wait")
		}
		p.Sends(script.Close(4000, ""))
		if err := within(t, "Shutdown", done); err != nil {
			t.Error(err)
		}
		if err := p.Conn.Shutdown(ctx, 1000, ""); err != nil {
			t.Errorf("another one gives %v", err)
		}
	})
	inRoles("ends as the connection does", func(t *testing.T, p *script.Peer) {
		done := down(ctx, p)
		p.WantsClose(4000)
		p.Sends(script.Close(4001, "no"))
		isCloseError(t, within(t, "Shutdown", done), 4001, "no")
	})
	inRoles("waits where the peer has begun to close", func(t *testing.T, p *script.Peer) {
		p.StopsReading()
		takeAll(p.Conn)
		p.Sends(script.Close(1000, ""))
		synctest.Wait()
		done := down(ctx, p)
		p.ReadsOn()
		if err := within(t, "Shutdown", done); err != nil {
			t.Error(err)
		}
		p.WantsClose(1000)
	})
	inRoles("cuts the connection when its context ends", func(t *testing.T, p *script.Peer) {
		short, cancel := context.WithTimeoutCause(ctx, time.Second, errTest)
		defer cancel()
		began := time.Now()
		if err := within(t, "Shutdown", down(short, p)); err != errTest || time.Since(began) != time.Second {
			t.Errorf("after %v it gives %v", time.Since(began), err)
		}
		isFailed(t, status(t, p.Conn).Err, errTest)
		p.WantsClose(4000)
		p.WantsEOF()
	})
	inRoles("refuses bad arguments", func(t *testing.T, p *script.Peer) {
		takeAll(p.Conn)
		isArgument(t, p.Conn.Shutdown(ctx, 1006, ""))
		isArgument(t, p.Conn.Shutdown(ctx, 1000, letters(124)))
		isArgument(t, p.Conn.Shutdown(without, 1000, ""))
		isOpen(t, p)
	})
}

// Whatever is asked of a connection that is closing or closed, the error says
// just that, and what ended it.
func TestTooLate(t *testing.T) {
	for want, end := range map[string]func(*script.Peer){
		"wsflow: the connection has begun to close: use of closed network connection": func(*script.Peer) {},
		"wsflow: the connection has ended: use of closed network connection (wsflow: connection failed: EOF)": func(p *script.Peer) {
			p.Conn.CloseNow(io.EOF)
		},
	} {
		bubble(t, "", func(t *testing.T) {
			p := script.Client(t, nil)
			if err := p.Conn.Close(1000, ""); err != nil {
				t.Fatal(err)
			}
			end(p)
			for _, err := range []error{p.Conn.Close(1000, ""), p.Conn.SendText(ctx, "late")} {
				if !errors.Is(err, net.ErrClosed) || err.Error() != want {
					t.Errorf("the error is %v, want %s", err, want)
				}
			}
		})
	}
}
