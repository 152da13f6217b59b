package stream_test

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A Sink keeps to the fragment size.
func TestSinkFragments(t *testing.T) {
	for _, s := range sides {
		bubble(t, s.name, func(t *testing.T) {
			p := s.start(t, &stream.Options{FragmentSize: 3})
			sink := p.Conn.Sink(ctx, nil)
			sink <- text("abc")
			sink <- text("abcdefg")
			close(sink)
			p.Wants("a message of one frame", script.Text("abc"))
			p.Wants("the first fragment", script.Text("abc").Open())
			p.Wants("the second fragment", script.More("def"))
			p.Wants("the last fragment", script.Last("g"))
			p.Conn.CloseNow(nil)
		})
	}
}

// A pause keeps back the messages that are at hand, too.
func TestPauseAmongSharedMessages(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		const size, count = 16, 60
		message := append([]byte{0x82, 126, 1000 >> 8, 1000 & 0xFF}, make([]byte, 1000)...)
		p := script.Client(t, &stream.Options{Buffered: bytes.Repeat(message, count)})
		messages := p.Conn.Chan(ctx, &stream.Queue{Size: size}).C
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
