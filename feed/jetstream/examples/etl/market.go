package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	store "github.com/wsflow/wsflow/feed/jetstream"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A market is a server with some feeds of so many trades, which it sends from where it
// is asked to. It lives in the program, and its connections are pipes.
type market struct {
	feeds, trades int
	pause         time.Duration // after every tenth trade, where there is a heartbeat
}

const heartbeat = "still here"

// A trade is one of a feed's, numbered from 1.
type trade struct{ n, size int }

func (m *market) names() (all []string) {
	for i := range m.feeds {
		all = append(all, fmt.Sprint("trades.", i))
	}
	return all
}

// size is how large a trade is: 1 to 100.
func size(n int) int { return 1 + n*n%100 }

const large = 50

// large counts the trades that are large.
func (m *market) large() (n int) {
	for i := 1; i <= m.trades; i++ {
		if size(i) >= large {
			n++
		}
	}
	return n * m.feeds
}

// dial connects to a feed, behind a trade.
func (m *market) dial(behind int) (*stream.Conn, error) {
	near, far := net.Pipe()
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		return nil, err
	}
	go m.serve(server, behind) // ends with the connection
	return stream.New(near, stream.Client, nil)
}

func (m *market) serve(c *stream.Conn, behind int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // reads the peer's Close; ends with the connection
		for range c.All(ctx) {
		}
		cancel()
	}()
	for n := behind + 1; n <= m.trades; n++ {
		if c.SendText(ctx, fmt.Sprint(n, " ", size(n))) != nil {
			return
		}
		if n%10 == 0 {
			c.SendText(ctx, heartbeat)
			time.Sleep(m.pause)
		}
	}
	c.Shutdown(ctx, result.StatusNormalClosure, "")
}

// A reading is a view of what is stored.
type reading struct{ *store.Store }

// waits waits until all feeds are stored up to a trade.
func (m *market) waits(ctx context.Context, r *reading, upTo int) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		last, err := r.Last(ctx, m.names())
		if err != nil {
			return err
		}
		done := 0
		for _, record := range last {
			if n, _ := strconv.Atoi(record.Cursor); n >= upTo {
				done++
			}
		}
		if done == m.feeds {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
