//go:build !unix

package stream

import "io"

// A rawSocket is for systems whose sockets can be read and written directly
// when they are ready. Others go through net.Conn.
type rawSocket struct{}

// A rawWrite is what goes with it.
type rawWrite struct{}

func newRawSocket(io.ReadWriteCloser) *rawSocket { return nil }

func (*rawSocket) read(*transport, []byte, lender) (int, error) {
	panic("no raw sockets on this system")
}

func (*rawWrite) write(*transport, []byte) (int, error) {
	panic("no raw sockets on this system")
}
