package stream

import (
	"context"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/result"
)

// linger waits for the end of the transport after the last Close frame. The client
// lets the server close it first; the server says that it sends no more, where the
// transport can, as does a side that failed the connection. Then what still comes is
// thrown away until the peer has closed, too: a socket that is closed while bytes
// come to it is reset, and what the peer has not read yet is lost. The deadline
// cuts that short.
//
// "The underlying TCP connection, in most normal cases, SHOULD be closed first
// by the server".
//
// "one would call shutdown() with SHUT_WR on the socket, call recv() until
// obtaining a return value of 0 indicating that the peer has also performed an
// orderly shutdown, and finally call close() on the socket."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.1.1
func (c *Conn) linger(status result.Status) {
	wait := status.Received == 0 || c.r.role == Client
	if status.Received == 0 || c.r.role == Server {
		wait = c.t.closeWrite() || wait
	}
	if wait {
		c.readOut()
	}
	c.closes(closeEvent{kind: onReadEnd})
}

// readOut throws away what comes until the transport ends. Nobody else reads any
// more.
func (c *Conn) readOut() {
	c.r.acquire(context.Background())
	c.r.over = true
	c.r.release()
	own := bufpool.Get(leastRoom)
	defer own.Free()
	for err := error(nil); err == nil || c.t.recalled(err); {
		c.t.resume()
		_, err = c.t.rwc.Read(own.Mem)
	}
}
