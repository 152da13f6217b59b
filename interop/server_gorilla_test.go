package interop

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// gorillaServer serves with github.com/gorilla/websocket.
func gorillaServer(s setting, seen *sightings) http.Handler {
	upgrader := &websocket.Upgrader{Subprotocols: []string{subprotocol}, EnableCompression: !s.off}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		err = gorillaConn{conn}.serve()
		if got := (*websocket.CloseError)(nil); errors.As(err, &got) && got.Code != websocket.CloseAbnormalClosure {
			seen.add(got.Code, got.Text)
		}
	})
}

type gorillaConn struct{ conn *websocket.Conn }

func (c gorillaConn) serve() error {
	for {
		typ, data, err := c.conn.ReadMessage()
		if err != nil {
			return err
		}
		if typ == websocket.TextMessage {
			if ordered, err := obey(c, string(data)); err != nil {
				return err
			} else if ordered {
				continue
			}
		}
		if err := c.conn.WriteMessage(typ, data); err != nil {
			return err
		}
	}
}

func (c gorillaConn) text(s string) error {
	return c.conn.WriteMessage(websocket.TextMessage, []byte(s))
}

func (c gorillaConn) ping(payload string, answered func() error) error {
	c.conn.SetPongHandler(func(pong string) error {
		if pong != payload {
			return nil
		}
		return answered()
	})
	return c.conn.WriteControl(websocket.PingMessage, []byte(payload), time.Time{})
}

// close leaves it to the loop of serve to read the client's Close.
func (c gorillaConn) close(code int, reason string) error {
	return c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Time{})
}

func (c gorillaConn) socket() net.Conn { return c.conn.NetConn() }
