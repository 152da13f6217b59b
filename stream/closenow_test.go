//go:build race

package stream_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// After CloseNow a connection holds nothing of what was not taken, whoever took
// messages before, and whether it had ended by then.
func TestCloseNowGivesMemoryBack(t *testing.T) {
	takers := map[string]func(p *script.Peer){
		"nobody": func(p *script.Peer) {},
		"a loop that was left": func(p *script.Peer) {
			for range p.Conn.All(ctx) {
				break
			}
		},
		"a Reader": func(p *script.Peer) {
			_, r, _ := p.Conn.Reader(ctx)
			r.Read(make([]byte, 1))
		},
		"a loop that is left later": func(p *script.Peer) {
			go func() {
				for range p.Conn.All(ctx) {
					time.Sleep(time.Hour)
					break
				}
			}()
		},
		"one who discards": func(p *script.Peer) { p.Conn.Discard() },
	}
	ends := map[string]func(p *script.Peer){
		"while it is open": func(p *script.Peer) {},
		"after its end":    func(p *script.Peer) { p.Sends(script.Close(1000, "")); p.WantsClose(1000); p.Cuts() },
		"after ours":       func(p *script.Peer) { p.Conn.Close(1000, ""); p.Sends(script.Close(1000, "")); p.Cuts() },
	}
	for taker, take := range takers {
		for end, ends := range ends {
			t.Run(taker+", "+end, func(t *testing.T) {
				lookAhead := 4 << 20
				if taker == "one who discards" {
					lookAhead = 100 << 10
				}
				before := bufpool.Lent()
				synctest.Test(t, func(t *testing.T) {
					p := script.Client(t, &stream.Options{LookAhead: lookAhead})
					for range 30 {
						p.Sends(script.Binary(filler(50000)))
					}
					take(p)
					ends(p)
					time.Sleep(time.Minute)
					p.Conn.CloseNow(nil)
					time.Sleep(2 * time.Hour)
					synctest.Wait()
					if n := bufpool.Lent() - before; n != 0 {
						t.Errorf("%d buffers are still lent", n)
					}
					for m, err := range p.Conn.All(ctx) {
						if err == nil {
							t.Errorf("there is a message of %d bytes", len(m.Data))
						}
					}
				})
			})
		}
	}
}
