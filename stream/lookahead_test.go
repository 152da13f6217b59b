package stream

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// awayIn returns a connection whose consumer has a message in hand, in a bubble,
// while as much comes as it will take: 1 KiB messages. The function takes the next
// message.
func awayIn(t *testing.T, bound int) (c *Conn, take func()) {
	t.Helper()
	ours, theirs := net.Pipe()
	c, err := New(ours, Client, &Options{LookAhead: bound})
	if err != nil {
		t.Fatal(err)
	}
	go func() { // until the connection ends
		message := append([]byte{0x82, 126, 1020 >> 8, 1020 & 0xFF}, make([]byte, 1020)...)
		for {
			if _, err := theirs.Write(message); err != nil {
				return
			}
		}
	}()
	go io.Copy(io.Discard, theirs) // the same
	next := make(chan struct{})
	go func() {
		defer c.CloseNow(nil)
		for range c.All(context.Background()) {
			if _, more := <-next; !more {
				return
			}
		}
	}()
	t.Cleanup(func() { theirs.Close() })
	take = func() {
		next <- struct{}{}
		synctest.Wait()
	}
	t.Cleanup(func() { close(next); <-c.Done(); synctest.Wait() })
	synctest.Wait()
	return c, take
}

// unparsed returns how much waits to be parsed.
func unparsed(t *testing.T, c *Conn) int {
	t.Helper()
	synctest.Wait()
	if !c.r.mu.tryLock() {
		t.Fatal("somebody reads")
	}
	defer c.r.mu.unlock()
	return c.r.waiting()
}

// A consumer that comes back is left alone, however long it stays in between. One
// that is away for a round is read ahead for a little, and for the whole bound once
// its stall is old. What lies unparsed counts.
func TestLookAheadGoesByRounds(t *testing.T) {
	const bound = 256 << 10
	synctest.Test(t, func(t *testing.T) {
		c, take := awayIn(t, bound)
		for range 20 {
			time.Sleep(watchEvery - time.Millisecond)
			for range 40 { // what one read got, and more
				take()
			}
			if n := unparsed(t, c); n > leastRoom {
				t.Fatalf("%d bytes wait for a consumer that comes back", n)
			}
		}
		time.Sleep(watchEvery + time.Millisecond) // it may have come back in this round
		if n := unparsed(t, c); n > leastRoom {
			t.Errorf("%d bytes wait before a whole round has passed", n)
		}
		time.Sleep(watchEvery)
		if n := unparsed(t, c); n < littleAhead || n >= littleAhead+recordSize {
			t.Errorf("%d bytes wait in the first round away, want %d", n, littleAhead)
		}
		if c.r.ahead.held.Load() {
			t.Error("the bound is said to be reached")
		}
		time.Sleep(watchEvery)
		if n := unparsed(t, c); n < bound || n >= bound+recordSize {
			t.Errorf("%d bytes wait for an old stall, want %d", n, bound)
		}
		if !c.r.ahead.held.Load() || c.r.ahead.armed.Load() {
			t.Error("the look-ahead does not stand still at its bound")
		}
		time.Sleep(time.Minute)
		if n := unparsed(t, c); n >= bound+recordSize {
			t.Errorf("%d bytes wait, past a bound of %d", n, bound)
		}
		for range 4 * bound >> 10 { // all of that, and what comes behind it
			take()
		}
		if n := unparsed(t, c); n > leastRoom || c.r.ahead.held.Load() {
			t.Errorf("%d bytes wait for a consumer that came back", n)
		}
	})
}

// A bound below the first step is kept.
func TestLookAheadKeepsASmallBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := awayIn(t, 1<<10)
		time.Sleep(time.Minute)
		if n := unparsed(t, c); n < 1<<10 || n >= 1<<10+recordSize || !c.r.ahead.held.Load() {
			t.Errorf("%d bytes wait, want about %d", n, 1<<10)
		}
	})
}

// What is unscheduled does not run, and what else is due does.
func TestUnschedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		c, err := New(ours, Client, nil)
		if err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, theirs)
		c.r.ahead.disarm() // New may have armed it
		for range 3 {
			c.r.ahead.arm()
			c.r.ahead.arm()
			if c.clock.watch == 0 || c.clock.timer == nil {
				t.Fatal("nothing is due")
			}
			c.r.ahead.disarm()
			c.r.ahead.disarm()
			time.Sleep(2 * watchEvery)
			synctest.Wait()
			if c.r.ahead.rounds != 0 || c.r.ahead.armed.Load() || c.clock.watch != 0 {
				t.Errorf("the watch ran %d times", c.r.ahead.rounds)
			}
		}
		c.r.ahead.arm()
		time.Sleep(watchEvery + time.Millisecond)
		synctest.Wait()
		if c.r.ahead.rounds != 1 {
			t.Errorf("the watch ran %d times, want once", c.r.ahead.rounds)
		}
		c.CloseNow(nil)
		<-c.Done()
	})
}
