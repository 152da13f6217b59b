//go:build unix

package stream

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// plainSocket returns how to try a plain socket without waiting for it; nil
// unless rwc is exactly a socket of the standard library: a type that embeds
// one may do more in its Read and Write.
func plainSocket(rwc io.ReadWriteCloser) syscall.RawConn {
	switch rwc.(type) {
	case *net.TCPConn, *net.UnixConn:
		if conn, err := rwc.(syscall.Conn).SyscallConn(); err == nil {
			return conn
		}
	}
	return nil
}

// A rawIO is one attempt to read or to write. Its callbacks are made once, so
// that none allocates.
type rawIO struct {
	in, out func(fd uintptr) bool

	p   []byte
	n   int
	err syscall.Errno
}

// attempts are many, and short: a pool has enough of them with a few.
var attempts = sync.Pool{New: func() any {
	x := new(rawIO)
	x.in, x.out = x.read, x.write
	return x
}}

// tryRead reads what a plain socket has at once into p. It
// returns 0 and no error if there is nothing.
func (t *transport) tryRead(p []byte) (int, error) {
	x := attempts.Get().(*rawIO)
	x.p, x.n, x.err = p, 0, 0
	err := t.raw.Read(x.in)
	n, errno := x.end()
	switch {
	case err != nil:
		return 0, named("read", err)
	case errno == syscall.EAGAIN:
		return 0, nil
	case errno != 0:
		return 0, t.opError("read", errno)
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// end gives the attempt back and returns what came of it.
func (x *rawIO) end() (int, syscall.Errno) {
	n, errno := x.n, x.err
	x.p = nil
	attempts.Put(x)
	return n, errno
}

func (x *rawIO) read(fd uintptr) bool {
	x.n, x.err = retry(syscall.Read, fd, x.p)
	return true
}

// awaitRaw is await for a plain socket. Once the socket has nothing, it waits and
// leaves what comes to tryRead, to be read in one go.
func (t *transport) awaitRaw() (int, error) {
	t.asked = false
	err := t.raw.Read(t.look)
	switch {
	case err != nil:
		return 0, named("read", err)
	case t.errno != 0:
		return 0, t.opError("read", syscall.Errno(t.errno))
	}
	return int(t.got), nil
}

// ask reads the first byte. Called again, it reads nothing: then there is
// something.
func (t *transport) ask(fd uintptr) bool {
	if t.asked {
		return true
	}
	n, err := retry(syscall.Read, fd, t.first[:])
	none := err == syscall.EAGAIN
	if none {
		err = 0
	}
	t.asked, t.got, t.errno = true, uint8(max(n, 0)), uint8(err)
	return !none
}

// tryWrite writes what a plain socket takes at once of p. It
// returns fewer bytes than p has, and no error, if the socket is full.
func (t *transport) tryWrite(_ *bufpool.Buffer, p []byte) (int, error) {
	x := attempts.Get().(*rawIO)
	x.p, x.n, x.err = p, 0, 0
	err := t.raw.Write(x.out)
	n, errno := x.end()
	switch {
	case err != nil:
		return 0, named("write", err)
	case errno != 0 && errno != syscall.EAGAIN:
		return n, t.opError("write", errno)
	}
	return n, nil
}

func (x *rawIO) write(fd uintptr) bool {
	for x.n < len(x.p) && x.err == 0 {
		var n int
		if n, x.err = retry(syscall.Write, fd, x.p[x.n:]); x.err == 0 {
			x.n += n
		}
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

// named gives an error of a RawConn the name that it has from net.Conn: a RawConn
// says "raw-read".
func named(op string, err error) error {
	if e, ok := err.(*net.OpError); ok {
		e.Op = op
	}
	return err
}

// opError makes the error that net.Conn would return.
func (t *transport) opError(op string, err syscall.Errno) error {
	nc := t.rwc.(net.Conn)
	addr := nc.LocalAddr()
	return &net.OpError{Op: op, Net: addr.Network(), Source: addr, Addr: nc.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}
