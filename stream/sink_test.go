package stream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// When a Sink's context ends, it takes nothing more, and what stands in its
// channel is counted.
func TestSinkLeavesAtItsContextsEnd(t *testing.T) {
	for range 20 { // a choice between the two would be a random one
		bubble(t, "", func(t *testing.T) {
			const left = 20
			logger, seen := logs()
			p := script.Client(t, &stream.Options{Logger: logger})
			p.StopsReading()
			inner, cancel := context.WithCancel(ctx)
			sink := p.Conn.Sink(inner, &stream.SinkOptions{Buffer: left})
			large := bin(make([]byte, 200<<10))
			for range 2 {
				sink <- large // one that is written, and one that leaves no room
				synctest.Wait()
			}
			for range left {
				sink <- text("left")
			}
			cancel()
			p.ReadsOn()
			for range 2 {
				p.WantsMessage("what was on its way", script.Binary(large.Data))
			}
			synctest.Wait()
			told := seen.All()
			if len(told) != 1 || told[0].ContextMap()["messages"] != int64(left) {
				t.Errorf("of %d messages that were left, it was told %v", left, told)
			}
			p.Conn.CloseNow(nil)
		})
	}
}

type passer struct{}

func (passer) Attach(l *stream.Link) (stream.Hooks, error) {
	return stream.Hooks{Out: l.Down}, nil
}

// A tally counts the writes.
type tally struct {
	net.Conn
	writes atomic.Int64
}

func (c *tally) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// "many messages with one write", also where an operator wants each of them, and
// where each takes several frames.
func TestSinkWritesManyMessagesAtOnce(t *testing.T) {
	for name, o := range map[string]*stream.Options{
		"plain":     nil,
		"operator":  {Operators: []stream.Operator{passer{}}},
		"fragments": {FragmentSize: 4},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := sockets(t)
			go io.Copy(io.Discard, theirs) // ends with the connection
			counted := &tally{Conn: ours}
			c, err := stream.New(counted, stream.Server, o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow(nil)
			turn, err := c.Writer(ctx, stream.Text) // until the channel is full
			if err != nil {
				t.Fatal(err)
			}
			sink := c.Sink(ctx, nil)
			defer close(sink)
			for range 500 {
				sink <- text("message")
			}
			turn.Close()
			if err := c.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			if n := counted.writes.Load(); n > 20 {
				t.Errorf("500 messages took %d writes", n)
			}
		})
	}
}

// A told is what a sink told its owner.
type told struct {
	all []string
	why []error
}

func (o *told) unsent(m stream.Message, why error) {
	o.all = append(o.all, string(m.Data[:min(len(m.Data), 10)]))
	o.why = append(o.why, why)
	m.Release()
}

// "What a sink took and could not send, or what stood in its channel when ctx ended,
// its owner is told, message by message".
func TestContract08SinkTells(t *testing.T) {
	bubble(t, "what cannot be sent", func(t *testing.T) {
		var owner told
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{choosy{}}})
		sink := p.Conn.Sink(ctx, &stream.SinkOptions{Unsent: owner.unsent})
		defer close(sink)
		for _, m := range []stream.Message{text("a"), text("bad \xFF"), text("b"), text("refuse"), {Type: stream.Ping}, text("c")} {
			sink <- m.Clone()
		}
		for _, want := range []string{"a", "b", "c"} {
			p.Wants("what can be sent", script.Text(want))
		}
		synctest.Wait()
		var bad *result.ArgumentError
		if !slices.Equal(owner.all, []string{"bad \xFF", "refuse", ""}) || !errors.As(owner.why[0], &bad) || owner.why[1] != errTest || !errors.As(owner.why[2], &bad) {
			t.Errorf("the owner was told %q, %v", owner.all, owner.why)
		}
		isOpen(t, p)
	})
	bubble(t, "what stands in the channel when ctx ends", func(t *testing.T) {
		var owner told
		p := script.Client(t, nil)
		p.StopsReading()
		inner, cancel := context.WithCancelCause(ctx)
		sink := p.Conn.Sink(inner, &stream.SinkOptions{Unsent: owner.unsent})
		var want []string
		for _, m := range large(40) {
			want = append(want, string(m.Data[:10]))
			sink <- m
		}
		synctest.Wait()
		left := len(sink)
		cancel(errTest)
		synctest.Wait()
		if n := len(owner.all); n <= left || left == 0 || n == len(want) || !slices.Equal(owner.all, want[len(want)-n:]) {
			t.Errorf("the owner was told %q, with %d in the channel", owner.all, left)
		}
		p.ReadsOn()
		for _, m := range large(40)[:40-len(owner.all)] {
			p.WantsMessage("what was accepted", script.Text(m.String()))
		}
		for _, why := range owner.why {
			if why != errTest {
				t.Errorf("the owner was told %v, want the cause", why)
			}
		}
	})
	bubble(t, "what the wire did not take, and what comes later", func(t *testing.T) {
		var owner told
		p := script.Server(t, nil)
		p.Reads(2*12 + 5)
		sink := p.Conn.Sink(ctx, &stream.SinkOptions{Unsent: owner.unsent})
		want := []string{}
		for i := range 10 {
			m := fmt.Sprintf("message %02d", i)
			sink <- text(m).Clone()
			if i >= 2 {
				want = append(want, m)
			}
		}
		synctest.Wait()
		p.Conn.CloseNow(errTest)
		synctest.Wait()
		sink <- text("later")
		close(sink)
		synctest.Wait()
		if want = append(want, "later"); !slices.Equal(owner.all, want) {
			t.Errorf("the owner was told %q, want %q", owner.all, want)
		}
		for _, why := range owner.why {
			if !errors.Is(why, net.ErrClosed) {
				t.Errorf("the owner was told %v", why)
			}
		}
	})
	bubble(t, "nothing where all is well", func(t *testing.T) {
		var owner told
		p := script.Client(t, nil)
		sink := p.Conn.Sink(ctx, &stream.SinkOptions{Unsent: owner.unsent, CloseConn: true})
		for range 1000 {
			sink <- text("well").Clone()
		}
		close(sink)
		for range 1000 {
			p.Wants("a message", script.Text("well"))
		}
		p.WantsClose(1000)
		p.Sends(script.Close(1000, ""))
		status(t, p.Conn)
		synctest.Wait()
		if len(owner.all) > 0 {
			t.Errorf("the owner was told %q", owner.all)
		}
	})
}

// A choosy operator refuses some messages.
type choosy struct{}

func (choosy) Attach(l *stream.Link) (stream.Hooks, error) {
	return stream.Hooks{Out: func(f stream.Frame) error {
		if string(f.Payload) == "refuse" {
			return errTest
		}
		return l.Down(f)
	}}, nil
}

// Bad arguments have no error to come back with: each message is unsent with it.
func TestSinkWithBadArguments(t *testing.T) {
	for _, buffer := range []int{1<<24 + 1, math.MaxInt} {
		bubble(t, fmt.Sprint(buffer), func(t *testing.T) { refuses(t, ctx, buffer) })
	}
	bubble(t, "a nil context", func(t *testing.T) { refuses(t, without, 0) })
}

func refuses(t *testing.T, ctx context.Context, buffer int) {
	var owner told
	p := script.Client(t, nil)
	sink := p.Conn.Sink(ctx, &stream.SinkOptions{Buffer: buffer, Unsent: owner.unsent})
	sink <- text("a")
	sink <- text("b")
	close(sink)
	synctest.Wait()
	var bad *result.ArgumentError
	if !slices.Equal(owner.all, []string{"a", "b"}) || !errors.As(owner.why[0], &bad) || !errors.As(owner.why[1], &bad) {
		t.Errorf("the owner was told %q, %v", owner.all, owner.why)
	}
	isOpen(t, p)
}

// Flush tells whether all was written, also after the end and with a Sink that
// lives on.
func TestFlushAfterTheEndWithASink(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		sink := p.Conn.Sink(ctx, nil)
		defer close(sink)
		sink <- text("a")
		p.Wants("the message", script.Text("a"))
		p.Sends(script.Close(1000, ""))
		p.WantsClose(1000)
		status(t, p.Conn)
		time.Sleep(time.Minute)
		if err := within(t, "Flush", flushed(p.Conn)); err != nil {
			t.Errorf("all was written, and Flush returns %v", err)
		}
		sink <- text("late")
		if err := within(t, "Flush", flushed(p.Conn)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a message was not written, and Flush returns %v", err)
		}
		if err := within(t, "Flush", flushed(p.Conn)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a message was not written before, and Flush returns %v", err)
		}
	})
}

// A Sink keeps to the fragment size.
func TestSinkFragments(t *testing.T) {
	for _, s := range sides {
		bubble(t, s.name, func(t *testing.T) {
			p := s.start(t, &stream.Options{FragmentSize: 3})
			sink := p.Conn.Sink(ctx, nil)
			sink <- text("abc")
			sink <- text("abcdefg")
			close(sink)
			p.Wants("a message of one frame", script.Text("abc"))
			p.Wants("the first fragment", script.Text("abc").Open())
			p.Wants("the second fragment", script.More("def"))
			p.Wants("the last fragment", script.Last("g"))
			p.Conn.CloseNow(nil)
		})
	}
}

func TestSinkHolds512(t *testing.T) {
	bubble(t, "by default", func(t *testing.T) {
		p := script.Client(t, nil)
		sink := p.Conn.Sink(ctx, nil)
		if n := cap(sink); n != 512 {
			t.Errorf("a Sink's channel holds %d messages, want 512", n)
		}
		close(sink)
	})
}
