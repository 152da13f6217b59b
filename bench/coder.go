package main

import (
	"context"

	"github.com/coder/websocket"
)

// coderLibrary takes messages with Read; coderTuned with Reader, into memory
// that is reused.
var (
	coderLibrary = conversing("coder", peer, func(t target) (conversation, error) { return coderDial(t) })
	coderTuned   = conversing("coder Reader", tuned, func(t target) (conversation, error) {
		c, err := coderDial(t)
		if err != nil {
			return nil, err
		}
		return &coderReader{coderConn: c, buf: make([]byte, 0, t.Size+1)}, nil
	})
)

type coderConn struct {
	conn   *websocket.Conn
	sendAs websocket.MessageType
}

func coderDial(t target) (*coderConn, error) {
	options := &websocket.DialOptions{CompressionThreshold: 1, HTTPClient: t.HTTP}
	switch t.Deflate {
	case deflateTakeover:
		options.CompressionMode = websocket.CompressionContextTakeover
	case deflateFresh:
		options.CompressionMode = websocket.CompressionNoContextTakeover
	}
	conn, _, err := websocket.Dial(context.Background(), t.url(), options)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1)
	sendAs := websocket.MessageBinary
	if t.Text {
		sendAs = websocket.MessageText
	}
	return &coderConn{conn: conn, sendAs: sendAs}, nil
}

func (c *coderConn) read() ([]byte, error) {
	_, message, err := c.conn.Read(context.Background())
	return message, err
}

func (c *coderConn) write(message []byte) error {
	return c.conn.Write(context.Background(), c.sendAs, message)
}

func (c *coderConn) close() { c.conn.CloseNow() }

type coderReader struct {
	*coderConn
	buf []byte
}

func (c *coderReader) read() ([]byte, error) {
	_, r, err := c.conn.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	c.buf, err = fill(c.buf, r)
	return c.buf, err
}
