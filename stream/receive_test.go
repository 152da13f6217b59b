package stream_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// wantReceived receives a message.
func wantReceived(t *testing.T, c *stream.Conn, ctx context.Context, want string) stream.Message {
	t.Helper()
	m, err := c.Receive(ctx)
	if err != nil || m.String() != want {
		t.Fatalf("Receive returns %q and %v, want %q", m, err, want)
	}
	return m
}

func TestReceiveGivesMessagesAway(t *testing.T) {
	bubble(t, "in a burst", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Text("one"), script.Binary(""), script.Text("th").Open(), script.Last("ree"), script.Text("four"))
		first := wantReceived(t, p.Conn, ctx, "one")
		if m := wantReceived(t, p.Conn, ctx, ""); m.Type != stream.Binary {
			t.Errorf("an empty message is %v", m.Type)
		}
		wantReceived(t, p.Conn, ctx, "three")
		wantReceived(t, p.Conn, ctx, "four")
		if first.String() != "one" {
			t.Errorf("the first message is %q after the others came", first)
		}
		first.Release()
	})
}

// Whoever waits less long than a message takes gets it all the same.
func TestReceiveLosesNothingWhenItsContextEnds(t *testing.T) {
	bubble(t, "between and within messages", func(t *testing.T) {
		p := script.Client(t, nil)
		cause := errors.New("enough")
		gives := func() {
			t.Helper()
			inner, cancel := context.WithTimeoutCause(ctx, 1, cause)
			defer cancel()
			if m, err := p.Conn.Receive(inner); err != cause || m.Data != nil {
				t.Fatalf("Receive returns %v and %v, want the context's cause", m, err)
			}
		}
		gives()
		p.Sends(script.Text("half ").Open())
		gives()
		gives()
		p.Sends(script.Last("and half"), script.Text("next"))
		p.Sent()
		inner, cancel := context.WithCancelCause(ctx)
		cancel(cause)
		if _, err := p.Conn.Receive(inner); err != cause {
			t.Errorf("Receive returns %v under a context that has ended", err)
		}
		wantReceived(t, p.Conn, ctx, "half and half")
		wantReceived(t, p.Conn, ctx, "next")
	})
}

func TestReceiveAtTheEnd(t *testing.T) {
	bubble(t, "after a success", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Text("last"), script.Close(1000, ""))
		wantReceived(t, p.Conn, ctx, "last")
		for range 2 {
			if _, err := p.Conn.Receive(ctx); err != io.EOF {
				t.Errorf("Receive returns %v, want io.EOF", err)
			}
		}
	})
	bubble(t, "after anything else", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Close(4000, "no"))
		var e *result.CloseError
		if _, err := p.Conn.Receive(ctx); !errors.As(err, &e) {
			t.Errorf("Receive returns %v, want a CloseError", err)
		}
	})
}

func TestReceiveIsExclusive(t *testing.T) {
	bubble(t, "beside a channel", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Conn.Chan(ctx, nil)
		if _, err := p.Conn.Receive(ctx); err != stream.ErrTaken {
			t.Errorf("Receive returns %v, want ErrTaken", err)
		}
	})
}
