package stream_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A pause keeps back the messages that are at hand, too.
func TestPauseAmongSharedMessages(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		const size, count = 16, 60
		message := append([]byte{0x82, 126, 1000 >> 8, 1000 & 0xFF}, make([]byte, 1000)...)
		p := script.Client(t, &stream.Options{Buffered: bytes.Repeat(message, count)})
		messages := p.Conn.Chan(ctx, &stream.SubscribeOptions{Size: size}).C
		synctest.Wait() // the queue is full, and the next one waits for room
		resume := p.Conn.Pause()
		got := 0
		for range count {
			for len(messages) > 0 {
				<-messages
				got++
			}
			synctest.Wait()
		}
		if got > size+1 {
			t.Errorf("%d messages came in a pause, want no more than the %d that were under way", got, size+1)
		}
		resume()
		for ; got < count; got++ {
			within(t, "the rest of the messages", messages)
		}
		p.Conn.CloseNow(nil)
	})
}

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
