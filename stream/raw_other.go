//go:build !unix

package stream

import "io"

// A rawSocket is for systems whose sockets can be read and written directly
// when they are ready. Others go through net.Conn.
type rawSocket struct{}

func newRawSocket(io.ReadWriteCloser) *rawSocket { return nil }

func (*rawSocket) read([]byte, lender) (int, error) { panic("no raw sockets on this system") }

func (*rawSocket) write([]byte) (int, error) { panic("no raw sockets on this system") }
