// Package cut closes connections at once, whatever is on its way.
package cut

import "net"

// Below closes the socket under layers such as TLS; where there is no layer, it does
// nothing. The layers must still be closed, and do not wait for the peer any more:
// tls.Conn.Close waits up to 5 s for one that does not read, but not on a closed
// socket.
func Below(c any) {
	lowest := Lowest(c)
	if socket, ok := lowest.(net.Conn); ok && lowest != c {
		socket.Close()
	}
}

// Lowest returns what lies under layers such as TLS, or c where there is none.
func Lowest(c any) any {
	for {
		layer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = layer.NetConn()
	}
}
