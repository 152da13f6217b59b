package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasLibrary takes messages with wsutil.ReadServerMessage; gobwasTuned with
// a wsutil.Reader, into memory that is reused. Below them gobwas offers frame
// headers alone, which are no comparison: control frames and fragments would
// be the caller's work, as they are the bare loop's.
var (
	gobwasLibrary = conversing("gobwas", peer, func(t target) (conversation, error) { return gobwasDial(t, 4<<10) })
	gobwasTuned   = conversing("gobwas Reader", tuned, func(t target) (conversation, error) {
		c, err := gobwasDial(t, 64<<10)
		if err != nil {
			return nil, err
		}
		return newGobwasReader(c, t), nil
	})
)

type gobwasConn struct {
	conn     net.Conn
	r        io.Reader
	w        *bufio.Writer
	messages []wsutil.Message
	payload  []byte // of the message that is written
}

// gobwasDial reads through a buffer, except from a connection that will be
// idle: for those gobwas needs none.
func gobwasDial(t target, buffer int) (*gobwasConn, error) {
	dialer := ws.Dialer{TLSConfig: t.TLS}
	conn, early, _, err := dialer.Dial(context.Background(), t.url())
	if err != nil {
		return nil, err
	}
	c := &gobwasConn{conn: conn, r: conn}
	if early != nil { // what the handshake read too much
		rest, err := early.Peek(early.Buffered())
		if err != nil {
			return nil, err
		}
		c.r = io.MultiReader(bytes.NewReader(bytes.Clone(rest)), conn)
		ws.PutReader(early)
	}
	if t.Operation != opHold {
		c.r = bufio.NewReaderSize(c.r, buffer)
	}
	if t.Operation == opSend || t.Operation == opEcho {
		c.w = bufio.NewWriterSize(conn, t.Size+ws.MaxHeaderSize)
	}
	return c, nil
}

func (c *gobwasConn) read() ([]byte, error) {
	for {
		var err error
		c.messages, err = wsutil.ReadServerMessage(c.r, c.messages[:0])
		if err != nil {
			return nil, err
		}
		for _, m := range c.messages {
			if m.OpCode.IsData() {
				return m.Payload, nil
			}
			if err := wsutil.HandleServerControlMessage(c.conn, m); err != nil {
				return nil, err
			}
		}
	}
}

// write gathers header and payload, which gobwas alone writes apart.
func (c *gobwasConn) write(message []byte) error {
	c.payload = append(c.payload[:0], message...)
	if err := ws.WriteFrame(c.w, ws.MaskFrameInPlace(ws.NewBinaryFrame(c.payload))); err != nil {
		return err
	}
	return c.w.Flush()
}

func (c *gobwasConn) close() { c.conn.Close() }

type gobwasReader struct {
	*gobwasConn
	reader  wsutil.Reader
	control wsutil.FrameHandlerFunc
	buf     []byte
}

func newGobwasReader(c *gobwasConn, t target) *gobwasReader {
	control := wsutil.ControlFrameHandler(c.conn, ws.StateClientSide)
	return &gobwasReader{
		gobwasConn: c,
		control:    control,
		reader: wsutil.Reader{
			Source:         c.r,
			State:          ws.StateClientSide,
			OnIntermediate: control,
		},
		buf: make([]byte, 0, t.Size+1),
	}
}

func (c *gobwasReader) read() ([]byte, error) {
	for {
		header, err := c.reader.NextFrame()
		if err != nil {
			return nil, err
		}
		if !header.OpCode.IsControl() {
			c.buf, err = fill(c.buf, &c.reader)
			return c.buf, err
		}
		if err := c.control(header, &c.reader); err != nil {
			return nil, err
		}
	}
}
