//go:build !unix

package stream

import (
	"io"
	"syscall"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// plainSocket is for systems whose sockets can be tried without waiting. Others
// go through net.Conn.
func plainSocket(io.ReadWriteCloser) syscall.RawConn { return nil }

type rawIO struct{}

func (*transport) ask(uintptr) bool { panic("no plain sockets on this system") }

func (*transport) awaitRaw() (int, error) { panic("no plain sockets on this system") }

func (*transport) tryRead([]byte) (int, error) {
	panic("no plain sockets on this system")
}

func (*transport) tryWrite(*bufpool.Buffer, []byte) (int, error) {
	panic("no plain sockets on this system")
}
