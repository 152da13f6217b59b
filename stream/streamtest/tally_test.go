package streamtest_test

import (
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/stream"
)

// Tally is an operator that counts messages and logs the counts each minute.
type Tally struct{}

// Attach makes what belongs to one connection.
func (Tally) Attach(link *stream.Link) (stream.Hooks, error) {
	c := &Counts{link: link}
	return stream.Hooks{In: c.in, Out: c.out, Timer: c.log, State: c}, nil
}

// Counts are the messages of one connection. They may be read at any time.
type Counts struct {
	link           *stream.Link
	Received, Sent atomic.Int64
}

// CountsOf returns the counts of a connection that has a Tally.
func CountsOf(c *stream.Conn) (*Counts, bool) { return stream.OperatorState[*Counts](c) }

func (c *Counts) in(f stream.Frame) (stream.Frame, bool, error) {
	if f.Last {
		c.Received.Add(1)
	}
	return f, false, nil
}

func (c *Counts) out(f stream.Frame) error {
	if f.Last {
		c.Sent.Add(1)
	}
	return c.link.Down(f)
}

func (c *Counts) log(time.Time) (again time.Duration, err error) {
	c.link.Logger().Info("messages",
		zap.Int64("received", c.Received.Load()), zap.Int64("sent", c.Sent.Load()))
	return time.Minute, nil
}
