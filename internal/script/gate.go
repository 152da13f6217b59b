package script

import (
	"errors"
	"math"
	"net"
	"os"
	"sync"
	"time"
)

// A gate lets the script read a number of bytes, and then none.
type gate struct {
	conn net.Conn

	mu      sync.Mutex
	left    int           // bytes that may still be read
	changed chan struct{} // closed when left is set
}

func newGate(conn net.Conn) *gate {
	return &gate{conn: conn, left: math.MaxInt, changed: make(chan struct{})}
}

// let sets how many bytes may be read from now on. A read under way ends: its
// deadline is over.
func (g *gate) let(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = n
	close(g.changed)
	g.changed = make(chan struct{})
	g.conn.SetReadDeadline(time.Unix(1, 0))
}

// Read reads what may be read, and waits while that is nothing.
func (g *gate) Read(b []byte) (int, error) {
	for {
		left, changed := g.wait()
		n, err := g.conn.Read(b[:min(len(b), left)])
		g.spend(n, changed)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		return n, err
	}
}

// wait returns how many bytes may be read, once that is more than none.
func (g *gate) wait() (left int, changed chan struct{}) {
	for {
		g.mu.Lock()
		left, changed = g.left, g.changed
		if left > 0 {
			g.conn.SetReadDeadline(time.Time{})
		}
		g.mu.Unlock()
		if left > 0 {
			return left, changed
		}
		<-changed
	}
}

// spend takes n bytes off what may be read, unless that was set anew.
func (g *gate) spend(n int, changed chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changed == changed && g.left != math.MaxInt {
		g.left -= n
	}
}
