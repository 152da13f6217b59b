package stream_test

import (
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A pause may begin when more bytes than the look-ahead has were just taken: they
// do not wait any more, and count for nothing.
func TestPauseBehindAFullBuffer(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		const size, most = 1000, 20
		p := script.Client(t, &stream.Options{LookAhead: 4 << 10})
		var frames []script.Frame
		for range most {
			frames = append(frames, script.Binary(filler(size)))
		}
		p.SendsRaw(append(p.Bytes(frames...), p.Bytes(script.Binary("behind"))...))
		n := 0
		for m, err := range p.Conn.All(ctx) {
			if n++; err != nil {
				t.Fatal(err)
			}
			if n == most {
				resume := p.Conn.Pause()
				go func() {
					p.Sends(script.Ping("paused"))
					p.Wants("the answer", script.Pong("paused"))
					resume()
				}()
			}
			if n > most {
				if string(m.Data) != "behind" {
					t.Errorf("got %d bytes", len(m.Data))
				}
				break
			}
		}
	})
}
