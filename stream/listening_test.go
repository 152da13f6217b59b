package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// each sends a message time and again until the connection ends.
func each(period time.Duration, p *script.Peer) {
	go func() {
		for {
			p.Sends(script.Text("message"))
			select {
			case <-p.Conn.Done():
				return
			case <-time.After(period):
			}
		}
	}()
}

// takesIn takes messages and needs so long for each.
func takesIn(c *stream.Conn, needs time.Duration) {
	go func() {
		for range c.All(ctx) {
			time.Sleep(needs)
		}
	}()
}

// TestListened counts for ten seconds. Where the consumer is away, the look-ahead
// begins within a second.
func TestListened(t *testing.T) {
	const ms = time.Millisecond
	away := func(p *script.Peer) {
		go func() {
			for range p.Conn.All(ctx) {
				<-p.Conn.Done()
			}
		}()
	}
	for _, c := range []struct {
		name        string
		begin       func(*script.Peer)
		least, most time.Duration
	}{
		{"the consumer waits", func(p *script.Peer) {
			takeAll(p.Conn)
		}, 10 * time.Second, 10 * time.Second},
		{"the consumer takes at once", func(p *script.Peer) {
			each(20*ms, p)
			takeAll(p.Conn)
		}, 10 * time.Second, 10 * time.Second},
		{"the consumer needs a quarter of the time", func(p *script.Peer) {
			each(20*ms, p)
			takesIn(p.Conn, 5*ms)
		}, 7500 * ms, 7600 * ms},
		{"the consumer is behind", func(p *script.Peer) {
			for range 1000 {
				p.Sends(script.Binary(filler(1000)))
			}
			takesIn(p.Conn, 30*ms)
		}, 0, 0},
		{"the consumer went away", func(p *script.Peer) {
			each(time.Minute, p)
			away(p)
		}, 9 * time.Second, 10*time.Second - 1},
		{"the consumer went away, and the look-ahead is spent", func(p *script.Peer) {
			for range 1000 {
				p.Sends(script.Binary(filler(1000)))
			}
			away(p)
		}, 0, 0},
		{"the channel is full", func(p *script.Peer) {
			each(time.Second, p)
			p.Conn.Chan(ctx, &stream.SubscribeOptions{Size: 1})
		}, 9 * time.Second, 10*time.Second - 1},
		{"there is no consumer", func(*script.Peer) {}, 9 * time.Second, 10*time.Second - 1},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := &hand{}
			p := script.Client(t, &stream.Options{Operators: []stream.Operator{h}, LookAhead: 10_000})
			h.link.CountListened(true)
			c.begin(p)
			time.Sleep(10 * time.Second)
			if got := h.link.Listened(); got < c.least || got > c.most {
				t.Errorf("listened for %v of 10s, want %v to %v", got, c.least, c.most)
			}
			p.Conn.CloseNow(nil)
			time.Sleep(time.Second) // the consumers end
		})
	}
}

// TestListenedByTwo has two operators that count at times of their own.
func TestListenedByTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &hand{}, &hand{}
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{a, b}})
		takeAll(p.Conn)
		total := time.Duration(0)
		for _, step := range []struct{ a, b bool }{
			{false, false}, {true, false}, {true, true}, {true, true}, {false, true}, {false, false}, {false, false}, {true, false},
		} {
			a.link.CountListened(step.a)
			b.link.CountListened(step.b)
			before := a.link.Listened()
			if got := b.link.Listened(); got != before || got != total {
				t.Fatalf("before %+v: one operator sees %v, the other one %v, want %v", step, before, got, total)
			}
			time.Sleep(time.Second)
			if step.a || step.b {
				total += time.Second
			}
		}
	})
}

// TestListenedOverSockets counts in real time, from the middle of a wait on.
func TestListenedOverSockets(t *testing.T) {
	h := &hand{}
	c, _, theirs := overSockets(t, &stream.Options{Operators: []stream.Operator{h}})
	c.SendText(ctx, "begin")
	messages := c.Chan(ctx, nil).C
	start := time.Now()
	h.link.CountListened(true)
	for range 3 {
		theirs.Write(script.Text("message").Bytes(false))
		<-messages
	}
	if heard, took := h.link.Listened(), time.Since(start); heard <= 0 || heard > took {
		t.Errorf("listened for %v of %v", heard, took)
	}
}
