//go:build unix

package stream

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A rawSocket reads and writes a plain socket inside the callbacks of its
// syscall.RawConn. Readiness is edge-triggered, so each callback really tries,
// and only EAGAIN makes it wait. The callbacks are made once, so that no call
// allocates.
type rawSocket struct {
	nc   net.Conn
	conn syscall.RawConn
	in   func(fd uintptr) bool
	out  func(fd uintptr) bool

	// Of the one who reads.
	into []byte // nil once from has it back
	from lender
	n    int
	err  error

	// Of the one who writes.
	p    []byte
	wn   int
	werr error
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
	s := &rawSocket{nc: nc, conn: conn}
	s.in, s.out = s.tryRead, s.tryWrite
	return s
}

// read reads into p. If there is nothing to read it gives p back, where from is
// not nil, waits until there is, and returns 0: the next read will get it.
func (s *rawSocket) read(p []byte, from lender) (int, error) {
	s.into, s.from, s.n, s.err = p, from, 0, nil
	err := s.conn.Read(s.in)
	s.into = nil
	if err != nil {
		return 0, err
	}
	return s.n, s.err
}

func (s *rawSocket) tryRead(fd uintptr) bool {
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
	case err != nil:
		s.err = s.opError("read", err)
	case n == 0:
		s.err = io.EOF
	default:
		s.n = n
	}
	return true
}

// write writes what the socket takes at once. It returns fewer bytes than p
// has, and no error, if the socket is full.
func (s *rawSocket) write(p []byte) (int, error) {
	s.p, s.wn, s.werr = p, 0, nil
	err := s.conn.Write(s.out)
	s.p = nil
	if err != nil {
		return 0, err
	}
	return s.wn, s.werr
}

func (s *rawSocket) tryWrite(fd uintptr) bool {
	for s.wn < len(s.p) {
		n, err := retry(syscall.Write, fd, s.p[s.wn:])
		if err == syscall.EAGAIN {
			break
		}
		if err != nil {
			s.werr = s.opError("write", err)
			break
		}
		s.wn += n
	}
	return true
}

func retry(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		n, err := call(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// opError makes the error that net.Conn would return.
func (s *rawSocket) opError(op string, err error) error {
	addr := s.nc.LocalAddr()
	return &net.OpError{Op: op, Net: addr.Network(), Source: addr, Addr: s.nc.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}
