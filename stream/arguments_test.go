package stream_test

import (
	"context"
	"errors"
	"math"
	"net"
	"strings"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"go.uber.org/zap/zapcore"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// without is a nil context.
var without context.Context

// refusals are calls with an argument that cannot be used, and what they give.
var refusals = map[string]func(c *stream.Conn) error{
	"Send":       func(c *stream.Conn) error { return c.Send(without, text("a")) },
	"SendText":   func(c *stream.Conn) error { return c.SendText(without, "a") },
	"SendBinary": func(c *stream.Conn) error { return c.SendBinary(without, nil) },
	"Flush":      func(c *stream.Conn) error { return c.Flush(without) },
	"Writer":     func(c *stream.Conn) error { _, err := c.Writer(without, stream.Text); return err },
	"Reader":     func(c *stream.Conn) error { _, _, err := c.Reader(without); return err },
	"Receive":    func(c *stream.Conn) error { _, err := c.Receive(without); return err },
	"Wait":       func(c *stream.Conn) error { _, err := c.Result().Wait(without); return err },
	"All": func(c *stream.Conn) (last error) {
		for _, last = range c.All(without) {
		}
		return last
	},
	"Chan":    func(c *stream.Conn) error { return endOf(c.Chan(without, nil)) },
	"Batches": func(c *stream.Conn) error { return endOf(c.Batches(without, nil)) },
	"Produce": func(c *stream.Conn) error {
		next := make(chan rxgo.Item, 1)
		c.Produce(without, next, nil)
		return (<-next).E
	},
	"Chan with a huge queue":    func(c *stream.Conn) error { return endOf(c.Chan(ctx, &stream.SubscribeOptions{Size: math.MaxInt})) },
	"Batches with a huge queue": func(c *stream.Conn) error { return endOf(c.Batches(ctx, &stream.SubscribeOptions{Size: 1<<24 + 1})) },
	"Observable with a huge queue": func(c *stream.Conn) error {
		return (<-c.Observable(&stream.SubscribeOptions{Size: math.MaxInt}).Observe(rxgo.WithContext(ctx))).E
	},
}

// endOf waits for the end of a subscription.
func endOf[T any](s *stream.Subscription[T]) error {
	for range s.C {
	}
	return s.Err()
}

// What cannot be used is refused before anything is done with it: the
// connection goes on, and whoever comes next finds nothing taken or locked.
func TestArgumentsAreRefused(t *testing.T) {
	for name, call := range refusals {
		bubble(t, name, func(t *testing.T) {
			p := script.Client(t, nil)
			isArgument(t, call(p.Conn))
			if err := p.Conn.SendText(ctx, "next"); err != nil {
				t.Error(err)
			}
			p.Wants("the next message", script.Text("next"))
			p.Sends(script.Text("next"))
			if m, err := firstOf(t, p.Conn.All(ctx)); err != nil || m.String() != "next" {
				t.Errorf("the next loop gets %q, %v", m.Data, err)
			}
		})
	}
}

func TestNewRefusesAnUnknownRole(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	c, err := stream.New(near, stream.Server+1, nil)
	if _, ok := err.(*result.ArgumentError); c != nil || !ok || !strings.Contains(err.Error(), "Role(2)") {
		t.Errorf("New gives %v, %v, want a *result.ArgumentError that names Role(2)", c, err)
	}
}

// A sink has no error to return: the log names the argument for each message
// that is not sent for it. The sink hangs no producer.
func TestSinkRefusesArguments(t *testing.T) {
	for name, open := range map[string]func(c *stream.Conn) chan<- stream.Message{
		"a nil context": func(c *stream.Conn) chan<- stream.Message { return c.Sink(without, nil) },
		"a huge buffer": func(c *stream.Conn) chan<- stream.Message {
			return c.Sink(ctx, &stream.SinkOptions{Buffer: math.MaxInt})
		},
	} {
		bubble(t, name, func(t *testing.T) {
			logger, seen := logs()
			p := script.Client(t, &stream.Options{Logger: logger})
			sink := open(p.Conn)
			sink <- text("one")
			sink <- text("two")
			close(sink)
			if err := p.Conn.Flush(ctx); err != nil {
				t.Error(err)
			}
			p.Conn.SendText(ctx, "next")
			p.Wants("the next message", script.Text("next"))
			if n := seen.Len(); n != 2 {
				t.Errorf("%d things are logged, want one for each message", n)
			}
			for _, entry := range seen.TakeAll() {
				if err, _ := fieldOf(entry.Context, "error").(error); !errors.As(err, new(*result.ArgumentError)) {
					t.Errorf("it is logged that %s: %v", entry.Message, err)
				}
			}
		})
	}
}

// fieldOf returns what a field of a log's entry holds.
func fieldOf(fields []zapcore.Field, key string) any {
	for _, f := range fields {
		if f.Key == key {
			return f.Interface
		}
	}
	return nil
}
