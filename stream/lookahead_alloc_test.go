package stream

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A trickle is a transport that gives empty binary messages byte by byte, until it
// is closed.
type trickle struct {
	at     int
	closed atomic.Bool
}

func (c *trickle) Read(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	p[0] = "\x82\x00"[c.at%2]
	c.at++
	return 1, nil
}

func (c *trickle) Write(p []byte) (int, error)     { return len(p), nil }
func (c *trickle) SetReadDeadline(time.Time) error { return nil }
func (c *trickle) Close() error                    { c.closed.Store(true); return nil }

// A peer that sends byte by byte makes the look-ahead allocate nothing for a byte.
func TestAllocationsOfLookAhead(t *testing.T) {
	c, err := New(new(trickle), Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(errors.New("the test is over"))
	r := &c.r
	if !r.tryAcquire() {
		t.Fatal("somebody reads")
	}
	defer r.release()
	allocations := testing.AllocsPerRun(10, func() { r.ahead.run(r.waiting()+1000, never) })
	if allocations > 20 {
		t.Errorf("1000 bytes cost %v allocations", allocations)
	}
}
