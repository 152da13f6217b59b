package interop

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// coderServer serves with github.com/coder/websocket.
func coderServer(s setting, seen *sightings) http.Handler {
	options := &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, CompressionThreshold: 1}
	switch {
	case s.off:
	case s.serverNoContext && s.clientNoContext:
		options.CompressionMode = websocket.CompressionNoContextTakeover
	default:
		options.CompressionMode = websocket.CompressionContextTakeover
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, options)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		conn.SetReadLimit(-1)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		err = coderConn{ctx, conn, socketOf(r)}.serve()
		if got := (websocket.CloseError{}); errors.As(err, &got) {
			seen.add(int(got.Code), got.Reason)
		}
	})
}

type coderConn struct {
	ctx  context.Context
	conn *websocket.Conn
	tcp  net.Conn
}

func (c coderConn) serve() error {
	for {
		typ, data, err := c.conn.Read(c.ctx)
		if err != nil {
			return err
		}
		if typ == websocket.MessageText {
			if ordered, err := obey(c, string(data)); err != nil {
				return err
			} else if ordered {
				continue
			}
		}
		if err := c.conn.Write(c.ctx, typ, data); err != nil {
			return err
		}
	}
}

func (c coderConn) text(s string) error {
	return c.conn.Write(c.ctx, websocket.MessageText, []byte(s))
}

// ping sends a Ping with a payload of the library's choice. Its Ping waits for
// the Pong, which only the loop of serve can read.
func (c coderConn) ping(_ string, answered func() error) error {
	go func() { // until the Pong comes or the connection ends
		if c.conn.Ping(c.ctx) == nil {
			answered()
		}
	}()
	return nil
}

// close waits for the client's Close.
func (c coderConn) close(code int, reason string) error {
	return c.conn.Close(websocket.StatusCode(code), reason)
}

func (c coderConn) socket() net.Conn { return c.tcp }
