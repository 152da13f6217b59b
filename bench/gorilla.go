package main

import "github.com/gorilla/websocket"

// gorillaLibrary takes messages with ReadMessage; gorillaTuned with
// NextReader, into memory that is reused.
var (
	gorillaLibrary = conversing("gorilla", peer, func(t target) (conversation, error) {
		c, err := gorillaDial(t, 0)
		return &gorillaConn{c}, err
	})
	gorillaTuned = conversing("gorilla NextReader", tuned, func(t target) (conversation, error) {
		c, err := gorillaDial(t, 64<<10)
		return &gorillaReader{gorillaConn: gorillaConn{c}, buf: make([]byte, 0, t.Size+1)}, err
	})
)

// gorillaDial uses gorilla's own read buffer where size is 0. To send there is
// room for the largest message, which gorilla would otherwise cut into
// fragments of 4 KiB.
func gorillaDial(t target, size int) (*websocket.Conn, error) {
	dialer := &websocket.Dialer{TLSClientConfig: t.TLS, ReadBufferSize: size}
	if t.Operation == opSend {
		dialer.WriteBufferSize = 64 << 10
	}
	conn, _, err := dialer.Dial(t.url(), nil)
	return conn, err
}

type gorillaConn struct{ conn *websocket.Conn }

func (c *gorillaConn) read() ([]byte, error) {
	_, message, err := c.conn.ReadMessage()
	return message, err
}

func (c *gorillaConn) write(message []byte) error {
	return c.conn.WriteMessage(websocket.BinaryMessage, message)
}

func (c *gorillaConn) close() { c.conn.Close() }

type gorillaReader struct {
	gorillaConn
	buf []byte
}

func (c *gorillaReader) read() ([]byte, error) {
	_, r, err := c.conn.NextReader()
	if err != nil {
		return nil, err
	}
	c.buf, err = fill(c.buf, r)
	return c.buf, err
}
