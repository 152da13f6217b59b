package streamtest

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/wsflow/wsflow/stream"
)

// A hookSpy notes whether an operator has a hook for data.
type hookSpy struct {
	stream.Operator
	hooks *atomic.Bool
}

func (s hookSpy) Attach(link *stream.Link) (stream.Hooks, error) {
	hooks, err := s.Operator.Attach(link)
	if hooks.In != nil || hooks.Out != nil {
		s.hooks.Store(true)
	}
	return hooks, err
}

// allocatesNothing checks that a message costs as many allocations with the
// operators as without them, if they have no hook for data.
func allocatesNothing(ctx context.Context, p Pair) error {
	var hooks atomic.Bool
	client, server := p.lists()
	for _, ops := range [][]stream.Operator{client, server} {
		for i, op := range ops {
			ops[i] = hookSpy{op, &hooks}
		}
	}
	with, err := allocations(ctx, client, server)
	if err != nil {
		return err
	}
	without, err := allocations(ctx, nil, nil)
	if err != nil {
		return err
	}
	return judge(hooks.Load(), with, without)
}

// judge lets operators with a hook for data allocate what they need.
func judge(hooks bool, with, without float64) error {
	if hooks || with < without+0.75 {
		return nil
	}
	return fmt.Errorf("a message there and back costs %.1f allocations, %.1f without the operator", with, without)
}

// allocations returns what one message there and back allocates: the least of
// several counts, as other goroutines of the program allocate too.
func allocations(ctx context.Context, client, server []stream.Operator) (float64, error) {
	w, err := open(client, server, 0)
	if err != nil {
		return 0, err
	}
	defer w.cut()
	echoed := make(chan error, 1)
	go func() { echoed <- echo(ctx, w.server) }() // until the cut
	least, err := bounce(ctx, w.client)
	if err != nil {
		w.cut()
		return 0, fmt.Errorf("%w (the echoing side: %w)", err, <-echoed)
	}
	return least, nil
}

func echo(ctx context.Context, c *stream.Conn) error {
	for m, err := range c.All(ctx) {
		if err != nil {
			return err
		}
		if err := c.Send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// bounce sends a message each time one comes back.
func bounce(ctx context.Context, c *stream.Conn) (least float64, err error) {
	const counts, each = 3, 1000
	m := stream.Message{Type: stream.Binary, Data: make([]byte, 64)}
	if err := c.Send(ctx, m); err != nil {
		return 0, err
	}
	var (
		n      int
		before uint64
	)
	least = math.Inf(1)
	for _, err := range c.All(ctx) {
		if err != nil {
			return 0, err
		}
		if n%each == 0 {
			if n > 0 {
				least = min(least, float64(mallocs()-before)/each)
			}
			if n == counts*each {
				break
			}
			before = mallocs()
		}
		n++
		if err := c.Send(ctx, m); err != nil {
			return 0, err
		}
	}
	return least, nil
}

func mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}
