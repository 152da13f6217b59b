package stream_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A piped is what Pipe returned.
type piped struct {
	unsent []stream.Message
	err    error
}

func pipe(ctx context.Context, c *stream.Conn, ch <-chan stream.Message) <-chan piped {
	done := make(chan piped, 1)
	go func() {
		unsent, err := c.Pipe(ctx, ch)
		done <- piped{unsent, err}
	}()
	return done
}

// tagged returns messages of ten bytes, as their own copies.
func tagged(n int) []stream.Message {
	all := make([]stream.Message, n)
	for i := range all {
		all[i] = text(fmt.Sprintf("number %03d", i)).Clone()
	}
	return all
}

// filled returns a channel in which these stand.
func filled(messages []stream.Message) chan stream.Message {
	ch := make(chan stream.Message, len(messages))
	for _, m := range messages {
		ch <- m
	}
	return ch
}

// A pipe whose channel was closed returns when all has reached the peer's side.
func TestPipeUntilItsChannelIsClosed(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		p.StopsReading()
		ch := filled(tagged(300))
		close(ch)
		inner, cancel := context.WithCancel(ctx) // with it, a pipe does not write itself
		defer cancel()
		done := pipe(inner, p.Conn, ch)
		synctest.Wait()
		select {
		case got := <-done:
			t.Fatalf("it returned %d messages and %v with nothing written", len(got.unsent), got.err)
		default:
		}
		p.ReadsOn()
		for _, m := range tagged(300) {
			p.WantsMessage("a message", script.Text(m.String()))
		}
		if got := within(t, "Pipe", done); got.err != nil || len(got.unsent) > 0 {
			t.Errorf("it returned %d messages and %v", len(got.unsent), got.err)
		}
		isOpen(t, p)
	})
}

// When the connection ends, a message is unsent if and only if its last byte was not
// taken: at any byte, whether it stood in a frame or in fragments.
func TestPipeReturnsWhatWasNotWritten(t *testing.T) {
	const count, size = 12, 10
	for _, fragment := range []int{-1, 4} {
		frame := size + 2
		if fragment > 0 {
			frame = size + 3*2
		}
		for at := range count*frame + 1 {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				c, err := stream.New(ours, stream.Server, &stream.Options{FragmentSize: fragment})
				if err != nil {
					t.Fatal(err)
				}
				ch := filled(tagged(count))
				done := pipe(ctx, c, ch)
				read := make([]byte, at)
				for n := 0; n < at; {
					got, _ := theirs.Read(read[n:])
					n += got
				}
				synctest.Wait()
				theirs.Close()
				got := within(t, "Pipe", done)
				if !errors.Is(got.err, net.ErrClosed) {
					t.Errorf("after %d bytes it returned %v", at, got.err)
				}
				sameMessages(t, got.unsent, tagged(count)[at/frame:])
				c.CloseNow(nil)
			})
		}
	}
}

// large returns messages of 60 KiB that begin as those of tagged do.
func large(n int) []stream.Message {
	all := tagged(n)
	for i, m := range all {
		all[i] = text(fmt.Sprintf("%-61440s", m.Data)).Clone()
	}
	return all
}

// While the connection lives, what was accepted will be sent: when ctx ends, only
// what is in hand is unsent.
func TestPipeUntilItsContextEnds(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		const count = 20
		p := script.Client(t, nil)
		p.StopsReading()
		inner, cancel := context.WithCancelCause(ctx)
		ch := filled(large(count))
		done := pipe(inner, p.Conn, ch)
		synctest.Wait()
		cancel(errTest)
		got := within(t, "Pipe", done)
		accepted := count - len(ch) - len(got.unsent)
		if got.err != errTest || accepted < 1 || len(got.unsent) < 1 {
			t.Fatalf("it returned %d of %d messages and %v, with %d in the channel", len(got.unsent), count, got.err, len(ch))
		}
		sameMessages(t, got.unsent, large(count)[accepted:count-len(ch)])
		p.ReadsOn()
		for _, m := range large(count)[:accepted] {
			p.WantsMessage("what was accepted", script.Text(m.String()))
		}
		isOpen(t, p)
	})
}

// A message that cannot be sent comes back first, and those behind it can be sent.
func TestPipeAndAMessageThatCannotBeSent(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		ch := filled([]stream.Message{text("a"), text("bad \xFF"), text("b"), text("c")})
		got := within(t, "Pipe", pipe(ctx, p.Conn, ch))
		var bad *result.ArgumentError
		if !errors.As(got.err, &bad) || len(got.unsent)+len(ch) != 3 {
			t.Fatalf("it returned %v and %d messages, %d stand in the channel", got.err, len(got.unsent), len(ch))
		}
		sameMessages(t, got.unsent[:1], []stream.Message{text("bad \xFF")})
		rest := make(chan stream.Message, 10)
		for _, m := range got.unsent[1:] {
			rest <- m
		}
		for len(ch) > 0 {
			rest <- <-ch
		}
		close(rest)
		if got := within(t, "Pipe", pipe(ctx, p.Conn, rest)); got.err != nil || len(got.unsent) > 0 {
			t.Errorf("it returned %v and %d messages", got.err, len(got.unsent))
		}
		for _, want := range []string{"a", "b", "c"} {
			p.Wants("what can be sent", script.Text(want))
		}
		isOpen(t, p)
	})
}

// Close and Flush wait for what stands in a pipe's channel.
func TestCloseAndFlushEmptyAPipe(t *testing.T) {
	for _, flush := range []bool{true, false} {
		bubble(t, fmt.Sprint("flush ", flush), func(t *testing.T) {
			p := script.Client(t, nil)
			p.StopsReading()
			ch := make(chan stream.Message, 250)
			done := pipe(ctx, p.Conn, ch)
			for range cap(ch) {
				ch <- bin(make([]byte, 60<<10))
			}
			var err <-chan error
			if flush {
				err = flushed(p.Conn)
			} else {
				p.Conn.Close(1000, "")
			}
			synctest.Wait()
			p.ReadsOn()
			for range cap(ch) {
				p.WantsMessage("a message", script.Binary(make([]byte, 60<<10)))
			}
			if flush {
				if err := within(t, "Flush", err); err != nil || len(ch) > 0 {
					t.Errorf("Flush returns %v with %d messages in the channel", err, len(ch))
				}
				isOpen(t, p)
				p.Conn.Close(1000, "")
			}
			p.WantsClose(1000)
			p.Sends(script.Close(1000, ""))
			if got := within(t, "Pipe", done); !errors.Is(got.err, net.ErrClosed) || len(got.unsent) > 0 {
				t.Errorf("Pipe returned %d messages and %v", len(got.unsent), got.err)
			}
		})
	}
}

// What a pipe keeps until it is written is bounded, however small operators make
// it.
func TestPipeKeepsNoMoreThanTheOutbox(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{shrinker{}}})
		p.StopsReading()
		ch := make(chan stream.Message)
		inner, cancel := context.WithCancel(ctx)
		done := pipe(inner, p.Conn, ch)
		taken := 0
		for late := false; !late; {
			select {
			case ch <- bin(make([]byte, 10<<10)):
				taken++
			case <-time.After(time.Minute):
				late = true
			}
			if taken > 100 {
				t.Fatal("1 MB of messages are kept")
			}
		}
		if taken < 10 {
			t.Errorf("%d messages are taken", taken)
		}
		cancel()
		within(t, "Pipe", done)
	})
}

// A shrinker sends a byte of each message.
type shrinker struct{}

func (shrinker) Attach(l *stream.Link) (stream.Hooks, error) {
	return stream.Hooks{Out: func(f stream.Frame) error {
		f.Payload = f.Payload[:1]
		return l.Down(f)
	}}, nil
}

// Arguments that cannot be used are told by name.
func TestPipeWithBadArguments(t *testing.T) {
	p := script.Client(t, nil)
	var bad *result.ArgumentError
	if _, err := p.Conn.Pipe(without, make(chan stream.Message)); !errors.As(err, &bad) || bad.Name != "ctx" {
		t.Errorf("with a nil context: %v", err)
	}
	if _, err := p.Conn.Pipe(ctx, nil); !errors.As(err, &bad) || bad.Name != "ch of stream.Conn.Pipe" {
		t.Errorf("with a nil channel: %v", err)
	}
}
