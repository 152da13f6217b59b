package stream_test

import (
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

type passer struct{}

func (passer) Attach(l *stream.Link) (stream.Taps, error) {
	return stream.Taps{Out: l.Down}, nil
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
