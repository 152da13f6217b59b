package streamtest

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/wsflow/wsflow/stream"
)

// A counter is an operator that counts what passes and hands it on as it is.
type counter struct{}

func (counter) Attach(link *stream.Link) (stream.Hooks, error) {
	c := &counts{link: link}
	return stream.Hooks{In: c.inbound, Out: c.outbound, State: c}, nil
}

// Counts are what a counter saw of one connection.
type counts struct {
	link    *stream.Link
	in, out count
}

func (c *counts) inbound(f stream.Frame) (stream.Frame, bool, error) {
	c.in.add(f)
	return f, false, nil
}

func (c *counts) outbound(f stream.Frame) error {
	c.out.add(f)
	return c.link.Down(f)
}

// A count is of one direction.
type count struct {
	messages int
	bytes    int
	sum      uint32 // of the payloads and of where messages end

	open bool // a message has begun
	typ  stream.Type
	err  error // the first breach of the order of pieces
}

func (c *count) add(f stream.Frame) {
	switch {
	case c.err != nil:
	case f.First == c.open:
		c.err = fmt.Errorf("message %d: a piece has First %t where a message has begun: %t", c.messages, f.First, c.open)
	case c.open && f.Type != c.typ:
		c.err = fmt.Errorf("message %d: a piece is %v where the message began as %v", c.messages, f.Type, c.typ)
	}
	c.open, c.typ = !f.Last, f.Type
	c.bytes += len(f.Payload)
	c.sum = crc32.Update(c.sum, crc32.IEEETable, f.Payload)
	if f.Last {
		c.messages++
		c.sum = crc32.Update(c.sum, crc32.IEEETable, []byte{byte(f.Type)})
	}
}

// agree compares what a counter on one side saw going out with what the one on
// the other side, at the same place, saw coming in.
func agree(out, in count) error {
	if err := errors.Join(wrap("out", out.err), wrap("in", in.err)); err != nil {
		return err
	}
	if out != in {
		return fmt.Errorf("went out as %+v, came in as %+v", out, in)
	}
	return nil
}
