//go:build unix

package stream

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A rawSocket reads a plain socket inside the callback of its syscall.RawConn.
// Readiness is edge-triggered, so each callback really tries, and only EAGAIN
// makes it wait. The callback is made once, so that no call allocates.
type rawSocket struct {
	conn syscall.RawConn
	try  func(fd uintptr) bool

	into []byte // nil once from has it back
	from lender
	n    int32 // -1 at the end of the stream
	err  syscall.Errno
}

// A rawWrite writes to a plain socket in the same way, without ever waiting. One
// serves whoever writes just now.
type rawWrite struct {
	try func(fd uintptr) bool
	p   []byte
	n   int
	err syscall.Errno
}

// newRawSocket returns nil unless rwc is exactly a socket of the standard
// library: a type that embeds one may do more in its Read and Write.
func newRawSocket(rwc io.ReadWriteCloser) *rawSocket {
	var nc net.Conn
	switch c := rwc.(type) {
	case *net.TCPConn:
		nc = c
	case *net.UnixConn:
		nc = c
	default:
		return nil
	}
	conn, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil
	}
	s := &rawSocket{conn: conn}
	s.try = s.attempt
	return s
}

// read reads into p. If there is nothing to read it gives p back, where from is
// not nil, waits until there is, and returns 0: the next read will get it.
func (s *rawSocket) read(t *transport, p []byte, from lender) (int, error) {
	s.into, s.from, s.n, s.err = p, from, 0, 0
	err := s.conn.Read(s.try)
	s.into = nil
	switch {
	case err != nil:
		return 0, err
	case s.err != 0:
		return 0, opError(t, "read", s.err)
	case s.n < 0:
		return 0, io.EOF
	}
	return int(s.n), nil
}

func (s *rawSocket) attempt(fd uintptr) bool {
	if s.into == nil {
		return true
	}
	n, err := retry(syscall.Read, fd, s.into)
	switch {
	case err == syscall.EAGAIN:
		s.into = nil
		if s.from != nil {
			s.from.back()
		}
		return false
	case n == 0:
		n = -1
	}
	s.n, s.err = int32(n), err
	return true
}

// write writes what the socket takes at once. It returns fewer bytes than p
// has, and no error, if the socket is full.
func (w *rawWrite) write(t *transport, p []byte) (int, error) {
	if w.try == nil {
		w.try = w.attempt
	}
	w.p, w.n, w.err = p, 0, 0
	err := t.raw.conn.Write(w.try)
	w.p = nil
	switch {
	case err != nil:
		return 0, err
	case w.err != 0:
		return w.n, opError(t, "write", w.err)
	}
	return w.n, nil
}

func (w *rawWrite) attempt(fd uintptr) bool {
	for w.n < len(w.p) {
		n, err := retry(syscall.Write, fd, w.p[w.n:])
		if err == syscall.EAGAIN {
			break
		}
		if err != 0 {
			w.err = err
			break
		}
		w.n += n
	}
	return true
}

// retry makes a system call until no signal interrupts it.
func retry(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, err := call(int(fd), p)
		errno, _ := err.(syscall.Errno)
		if errno != syscall.EINTR {
			return n, errno
		}
	}
}

// opError makes the error that net.Conn would return.
func opError(t *transport, op string, err syscall.Errno) error {
	nc := t.rwc.(net.Conn)
	addr := nc.LocalAddr()
	return &net.OpError{Op: op, Net: addr.Network(), Source: addr, Addr: nc.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}
