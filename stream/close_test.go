package stream_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
)

// Whatever is asked of a connection that is closing or closed, the error says
// just that, and what ended it.
func TestTooLate(t *testing.T) {
	for want, end := range map[string]func(*script.Peer){
		"wsflow: the connection has begun to close: use of closed network connection": func(*script.Peer) {},
		"wsflow: the connection has ended: use of closed network connection (wsflow: connection failed: EOF)": func(p *script.Peer) {
			p.Conn.CloseNow(io.EOF)
		},
	} {
		bubble(t, "", func(t *testing.T) {
			p := script.Client(t, nil)
			if err := p.Conn.Close(1000, ""); err != nil {
				t.Fatal(err)
			}
			end(p)
			for _, err := range []error{p.Conn.Close(1000, ""), p.Conn.SendText(ctx, "late")} {
				if !errors.Is(err, net.ErrClosed) || err.Error() != want {
					t.Errorf("the error is %v, want %s", err, want)
				}
			}
		})
	}
}
