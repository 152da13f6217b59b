package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// oneConnection takes a feed over one connection, whose end may come too early.
func oneConnection(w *world, random *rand.Rand) error {
	to := uint64(random.IntN(20_000))
	cuts := ""
	if random.IntN(2) == 0 {
		cuts = "&cuts=1"
	}
	conn, err := dial.Dial(context.Background(), w.server.url(fmt.Sprintf("/feed?from=0&to=%d%s", to, cuts)), nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	q := &sequence{name: "a connection"}
	h := &hand{src: conn, random: random, check: func(m stream.Message, missing uint64) error {
		w.messages.Add(1)
		return q.take(m, missing)
	}, lost: func(missing uint64) { q.next += missing }}
	err = h.drain()
	switch {
	case q.broken:
		return err
	case err == nil && q.next != to:
		return fmt.Errorf("a connection: it ended well with %d of %d messages", q.next, to)
	case err != nil && !endedEarly(err):
		return err
	case err != nil && cuts == "":
		return fmt.Errorf("a connection: it ended after %d of %d messages: %w", q.next, to, err)
	}
	return nil
}

// endedEarly reports that the peer closed with a failure, or without a Close.
func endedEarly(err error) bool {
	return errors.As(err, new(*result.CloseError)) || errors.As(err, new(*result.ConnectionFailed))
}

// oneSender sends numbers in several ways. The server counts them.
func oneSender(w *world, random *rand.Rand) error {
	ctx := context.Background()
	conn, err := dial.Dial(ctx, w.server.url("/count"), nil)
	if err != nil {
		return err
	}
	defer conn.CloseNow(nil)
	sent := uint64(0)
	for range 1 + random.IntN(5) {
		most := random.IntN(3000)
		switch random.IntN(3) {
		case 0:
			for range most {
				if err := conn.Send(ctx, numbered(sent)); err != nil {
					return err
				}
				sent++
			}
		case 1:
			sink := conn.Sink(ctx, nil)
			for range most {
				sink <- numbered(sent)
				sent++
			}
			close(sink)
			if err := conn.Flush(ctx); err != nil {
				return err
			}
		case 2:
			ch := make(chan stream.Message, 16)
			go func() { // until all are in the channel
				defer close(ch)
				for i := range uint64(most) {
					ch <- numbered(sent + i)
				}
			}()
			if unsent, err := conn.Pipe(ctx, ch); err != nil || len(unsent) > 0 {
				return fmt.Errorf("a sender: %d messages were not sent: %w", len(unsent), err)
			}
			sent += uint64(most)
		}
		dawdle(random)
	}
	w.messages.Add(int64(sent))
	return conn.Shutdown(ctx, 1000, fmt.Sprint(sent))
}

func numbered(n uint64) stream.Message {
	return stream.Message{Type: stream.Text, Data: fmt.Appendf(nil, "%d .", n)}
}
