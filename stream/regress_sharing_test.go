package stream_test

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A Reader whose messages a subscriber has come to take reads nothing of them.
func TestReaderYieldsToAChan(t *testing.T) {
	bubble(t, "within a message", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Binary(bytes.Repeat([]byte("x"), 100)))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		s := p.Conn.Chan(t.Context(), nil)
		p.Sends(script.Binary(bytes.Repeat([]byte("y"), 100)))
		within(t, "the next message", s.C)
		synctest.Wait()
		if n, err := r.Read(b); n > 0 || err != stream.ErrTaken {
			t.Errorf("Read gives %q and %v, want ErrTaken", b[:n], err)
		}
	})
}

// A loop passes over the rest of a message that a Reader has begun, and that
// Reader reads no more of it.
func TestReaderIsStaleBehindALoop(t *testing.T) {
	bubble(t, "within a message", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Binary(bytes.Repeat([]byte("x"), 100)), script.Text("next"))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := firstOf(t, p.Conn.All(ctx)); err != nil || m.String() != "next" {
			t.Errorf("the loop gets %q, %v", m.Data, err)
		}
		b := make([]byte, 10)
		if n, err := r.Read(b); n > 0 || err == nil || err == io.EOF {
			t.Errorf("Read gives %q and %v, want an error of its own", b[:n], err)
		}
	})
}

// A subscriber that never waits gets what came, whoever else is waited for.
func TestBatchesFlowBesideAFullQueue(t *testing.T) {
	for _, policy := range []stream.Policy{stream.DropOldest, stream.DropNewest, stream.Latest, stream.Fail} {
		synctest.Test(t, func(t *testing.T) {
			p := script.Client(t, nil)
			resume := p.Conn.Pause()
			batches := p.Conn.Batches(t.Context(), &stream.Queue{Policy: policy})
			p.Conn.Chan(t.Context(), &stream.Queue{Size: 1})
			resume()
			p.Sends(manyFrames(4)...)
			time.Sleep(time.Minute)
			select {
			case batch := <-batches.C:
				sameMessages(t, batch, manyMessages(4))
			default:
				t.Errorf("policy %d: no batch came in a minute", policy)
			}
		})
	}
}

// A callback that was refused because a loop was active does not keep later
// ones from being called.
func TestCallbackAfterARefusedOne(t *testing.T) {
	bubble(t, "when the loop has ended", func(t *testing.T) {
		p := script.Client(t, nil)
		got := make(chan string, 10)
		p.Sends(script.Text("a"))
		for range p.Conn.All(ctx) {
			p.Conn.OnText(func(string) {})
			break
		}
		p.Conn.OnText(func(s string) { got <- s })
		p.Sends(script.Text("b"))
		if s := within(t, "the callback", got); s != "b" {
			t.Errorf("the callback got %q", s)
		}
	})
}

// A callback that waits in Post when CloseNow is called does not run.
func TestPostedCallbackEndsWithCloseNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posted := make(chan func(), 10)
		p := script.Client(t, &stream.Options{Post: func(f func()) { posted <- f }})
		p.Conn.OnText(func(s string) { t.Errorf("the callback ran, with %q", s) })
		p.Sends(script.Text("abcdefgh"))
		synctest.Wait()
		p.Conn.CloseNow(nil)
		synctest.Wait()
		if len(posted) == 0 {
			t.Fatal("no callback was posted")
		}
		for len(posted) > 0 {
			(<-posted)()
		}
	})
}

// A delay is an operator that holds back one piece.
type delay struct{}

func (delay) Attach(*stream.Link) (stream.Taps, error) {
	var held stream.Frame
	return stream.Taps{In: func(f stream.Frame) (stream.Frame, bool, error) {
		out := held
		held = f
		held.Payload = bytes.Clone(f.Payload)
		return out, false, nil
	}}, nil
}

// Text that an operator hands on late is valid or not by itself, whatever has
// come in behind it.
func TestDelayedTextStaysValid(t *testing.T) {
	bubble(t, "a character in two pieces", func(t *testing.T) {
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{delay{}}})
		p.Sends(script.Text("a\xC3").Open(), script.Last("\xA9"), script.Text("next"))
		if m, err := firstOf(t, p.Conn.All(ctx)); err != nil || m.String() != "aé" {
			t.Errorf("All gives %q, %v", m.Data, err)
		}
	})
}

// A consumer that goes away right after a pause, with a message that stood in
// the buffer, has its Pings answered like any other.
func TestAwayAfterAPause(t *testing.T) {
	bubble(t, "a Ping", func(t *testing.T) {
		p := script.Client(t, nil)
		go func() {
			for m := range p.Conn.All(ctx) {
				if m.String() == "a" {
					time.AfterFunc(2*time.Second, p.Conn.Pause())
					continue
				}
				<-p.Conn.Done() // away
			}
		}()
		p.Sends(script.Text("a"), script.Text("b"))
		time.Sleep(time.Minute)
		p.Sends(script.Ping("there?"))
		p.Wants("the answer", script.Pong("there?"))
	})
}
