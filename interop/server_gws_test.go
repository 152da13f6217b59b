package interop

import (
	"errors"
	"net"
	"net/http"

	"github.com/lxzan/gws"
)

// gwsServer serves with github.com/lxzan/gws.
func gwsServer(s setting, seen *sightings) http.Handler {
	events := gwsEvents{seen: seen}
	plain := gws.NewUpgrader(events, gwsOption(s))
	speaking := gwsOption(s)
	speaking.SubProtocols = []string{subprotocol}
	choosing := gws.NewUpgrader(events, speaking)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := choosing // which refuses a client that offers none
		if r.Header.Get("Sec-WebSocket-Protocol") == "" {
			upgrader = plain
		}
		if conn, err := upgrader.Upgrade(w, r); err == nil {
			conn.ReadLoop()
		}
	})
}

func gwsOption(s setting) *gws.ServerOption {
	bits := func(wanted int) int {
		if wanted == 0 {
			return 15
		}
		return wanted
	}
	return &gws.ServerOption{
		CheckUtf8Enabled:    true,
		WriteMaxPayloadSize: 32 << 20,
		PermessageDeflate: gws.PermessageDeflate{
			Enabled:               !s.off,
			Threshold:             1,
			PoolSize:              1,
			ServerContextTakeover: !s.serverNoContext,
			ClientContextTakeover: !s.clientNoContext,
			ServerMaxWindowBits:   bits(s.serverBits),
			ClientMaxWindowBits:   bits(s.clientBits),
		},
	}
}

type gwsEvents struct {
	gws.BuiltinEventHandler
	seen *sightings
}

func (e gwsEvents) OnMessage(conn *gws.Conn, message *gws.Message) {
	defer message.Close()
	if message.Opcode == gws.OpcodeText {
		if ordered, _ := obey(gwsConn{conn}, string(message.Bytes())); ordered {
			return
		}
	}
	conn.WriteMessage(message.Opcode, message.Bytes())
}

func (e gwsEvents) OnPing(conn *gws.Conn, payload []byte) { conn.WritePong(payload) }

func (e gwsEvents) OnPong(conn *gws.Conn, payload []byte) {
	if answered, ok := conn.Session().Load(string(payload)); ok {
		answered.(func() error)()
	}
}

func (e gwsEvents) OnClose(_ *gws.Conn, err error) {
	if got := (*gws.CloseError)(nil); errors.As(err, &got) {
		if got.Code == 0 { // which is how it tells that there was none
			got.Code = 1005
		}
		e.seen.add(int(got.Code), string(got.Reason))
	}
}

type gwsConn struct{ conn *gws.Conn }

func (c gwsConn) text(s string) error { return c.conn.WriteString(s) }

func (c gwsConn) ping(payload string, answered func() error) error {
	c.conn.Session().Store(payload, answered)
	return c.conn.WritePing([]byte(payload))
}

// close does not wait for the client's Close.
func (c gwsConn) close(code int, reason string) error {
	return c.conn.WriteClose(uint16(code), []byte(reason))
}

func (c gwsConn) socket() net.Conn { return c.conn.NetConn() }
