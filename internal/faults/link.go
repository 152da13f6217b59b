package faults

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// Link returns the two ends of a connection in memory. It holds no bytes: what one
// end writes the other one reads meanwhile. The near end is the client's.
func Link() (near, far net.Conn) {
	a, b := net.Pipe()
	l := new(link)
	return &end{Conn: a, link: l}, &end{Conn: b, link: l}
}

// A link is what both ends know.
type link struct{ reset atomic.Bool }

// An end is one of a link.
type end struct {
	net.Conn
	link *link
}

// Reset ends the connection as RST does.
func (e *end) Reset() {
	e.link.reset.Store(true)
	e.Conn.Close()
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	return n, e.tell("read", err)
}

func (e *end) Write(p []byte) (int, error) {
	n, err := e.Conn.Write(p)
	return n, e.tell("write", err)
}

func (e *end) tell(op string, err error) error {
	if e.link.reset.Load() && (err == io.EOF || errors.Is(err, io.ErrClosedPipe)) {
		return &net.OpError{Op: op, Net: "pipe", Err: syscall.ECONNRESET}
	}
	return err
}

// reset ends a connection as RST does.
func reset(c net.Conn) {
	switch c := c.(type) {
	case *end:
		c.Reset()
	case *net.TCPConn:
		c.SetLinger(0)
		c.Close()
	}
}
