package cut_test

import (
	"io"
	"net"
	"testing"

	"github.com/wsflow/wsflow/internal/cut"
)

// A counted connection counts how often it is closed.
type counted struct {
	net.Conn
	closed int
}

func (c *counted) Close() error {
	c.closed++
	return c.Conn.Close()
}

// A layer is a connection over another one, as a tls.Conn is.
type layer struct{ *counted }

func (l layer) NetConn() net.Conn { return l.Conn }

// The socket is closed once, and no layer is, however many there are.
func TestBelow(t *testing.T) {
	for layers := range 4 {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		socket := &counted{Conn: ours}
		c, above := net.Conn(socket), []layer{}
		for range layers {
			above = append(above, layer{&counted{Conn: c}})
			c = above[len(above)-1]
		}
		cut.Below(c)
		if want := min(layers, 1); socket.closed != want {
			t.Errorf("under %d layers the socket was closed %d times, want %d", layers, socket.closed, want)
		}
		for i, l := range above {
			if l.closed > 0 {
				t.Errorf("layer %d of %d was closed", i, layers)
			}
		}
		c.Close()
	}
}

// What is no connection is left alone.
func TestBelowNothing(t *testing.T) {
	r, w := io.Pipe()
	cut.Below(r)
	go w.Close()
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the pipe gives %v", err)
	}
}
