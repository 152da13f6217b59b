package stream

import (
	"net"
	"syscall"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/cut"
)

// unwritten says of the operators' last Ping that it is not on its way.
const unwritten = -1

// Delivered returns how much of what was written is known to have left: the
// bytes of the TCP stream that the peer's system has acknowledged, on Linux and
// through TLS too; anywhere else the bytes that the transport has taken.
//
// ping is how many of them went before the last Ping that an operator sent. It
// is negative while there has been none, or this one still waits for the
// network. While delivered grows toward it, the Ping is on its way, and no
// answer is late. What is delivered behind it proves nothing: the system of a
// peer acknowledges what its program does not read.
func (l *Link) Delivered() (delivered, ping int64) {
	w := &l.conn.w
	w.mu.Lock()
	defer w.mu.Unlock()
	delivered, _ = w.c.t.delivered(w.outbox.taken)
	if w.outbox.ping == pingWaits {
		return delivered, unwritten
	}
	return delivered, w.ping
}

// next returns, under mu, what is to be written next. Where a Ping of an operator's
// begins there, it notes the place.
func (w *writer) next() (own *bufpool.Buffer, p []byte) {
	own, p = w.outbox.next()
	if w.outbox.ping == pingLeaves {
		_, w.ping = w.c.t.delivered(w.outbox.taken)
		w.outbox.ping = pingNone
	}
	return own, p
}

// delivered returns how many bytes have left, and how many were written. taken
// is how many the transport took.
func (t *transport) delivered(taken int64) (delivered, written int64) {
	if socket, ok := cut.Lowest(t.rwc).(*net.TCPConn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			if acknowledged, waiting, ok := acknowledged(raw); ok {
				return acknowledged, acknowledged + waiting
			}
		}
	}
	return taken, taken
}

// acknowledged returns how many bytes the peer's system has acknowledged, and
// how many others the socket holds; false if the system does not tell.
func acknowledged(socket syscall.RawConn) (acknowledged, waiting int64, ok bool) {
	err := socket.Control(func(fd uintptr) { acknowledged, waiting, ok = tcpCounts(fd) })
	return acknowledged, waiting, ok && err == nil
}
