package deflate

import (
	"bytes"
	"errors"
	"testing"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// receive pumps a piece through the receiver, as a connection does, and appends
// what it hands on.
func receive(t *testing.T, r *receiver, f stream.Frame, got []stream.Frame) ([]stream.Frame, error) {
	t.Helper()
	out, more, err := r.in(f)
	for {
		if err != nil {
			return got, err
		}
		if len(out.Payload) > pieceSize {
			t.Fatalf("a piece of %d bytes", len(out.Payload))
		}
		if out.Type != 0 {
			out.Payload = bytes.Clone(out.Payload)
			got = append(got, out)
		}
		if !more {
			return got, nil
		}
		out, more, err = r.in(stream.Frame{})
	}
}

// join checks that the pieces are one message, and returns it.
func join(t *testing.T, frames []stream.Frame) (message []byte) {
	t.Helper()
	for i, f := range frames {
		if f.First != (i == 0) || f.Last != (i == len(frames)-1) || f.Begin != f.First || f.End != f.Last {
			t.Fatalf("piece %d of %d: %t %t %t %t", i, len(frames), f.First, f.Last, f.Begin, f.End)
		}
		if len(f.Payload) == 0 && !f.Last {
			t.Fatalf("piece %d of %d is empty", i, len(frames))
		}
		if f.RSV&rsv1 != 0 {
			t.Fatalf("piece %d still has RSV1", i)
		}
		message = append(message, f.Payload...)
	}
	if len(frames) == 0 {
		t.Fatal("no message")
	}
	return message
}

// arriving returns a compressed message as pieces of a size.
func arriving(p []byte, size int) (frames []stream.Frame) {
	for i := 0; i == 0 || i < len(p); i += size {
		end := min(i+size, len(p))
		frames = append(frames, stream.Frame{Type: stream.Text, RSV: rsv1 | 1, First: i == 0, Last: end == len(p), Payload: p[i:end]})
	}
	return frames
}

func TestReceive(t *testing.T) {
	for _, mode := range []ContextMode{Takeover, NoTakeover} {
		for _, size := range []int{1, 3, 100, 1 << 20} {
			s, w := newTestSender(setup(mode, 15), Options{Threshold: -1})
			r := newReceiver(s.state)
			for _, m := range [][]byte{corpus("records", 300, 1)[0], corpus("ticker", 70_000, 1)[0], corpus("ticker", 500, 1)[0], make([]byte, 1<<20), corpus("ticker", 500, 1)[0]} {
				send(t, s, whole(m))
				payload, _ := w.message(t)
				var got []stream.Frame
				for _, f := range arriving(payload, size) {
					var err error
					if got, err = receive(t, r, f, got); err != nil {
						t.Fatal(err)
					}
				}
				if !bytes.Equal(join(t, got), m) {
					t.Fatalf("%v, pieces of %d: a message of %d bytes came out otherwise", mode, size, len(m))
				}
				if got[0].RSV != 1 || got[0].Type != stream.Text {
					t.Fatalf("got RSV %d, type %v", got[0].RSV, got[0].Type)
				}
				if r.decoder != nil {
					t.Fatal("the decoder was kept after the message")
				}
			}
			if sent, received := s.state.Sent(), s.state.Received(); sent != received {
				t.Errorf("sent %+v, received %+v", sent, received)
			}
		}
	}
}

func TestReceiveEmpty(t *testing.T) {
	for _, message := range []string{"\x00", ""} {
		r := newReceiver(&State{agreed: setup(Takeover, 15)})
		got, err := receive(t, r, arriving([]byte(message), 1)[0], nil)
		if err != nil || len(join(t, got)) != 0 {
			t.Errorf("%x: got %d pieces, %v", message, len(got), err)
		}
	}
}

// A bomb is a thousand times as large as what carries it. It comes out piece by
// piece, and only as it is asked for.
func TestBomb(t *testing.T) {
	const size = 8 << 20
	bomb := compressed(make([]byte, size), 9)
	r := newReceiver(&State{agreed: setup(Takeover, 15)})
	_, more, err := r.in(whole(bomb))
	if !more || err != nil {
		t.Fatal(more, err)
	}
	if got := r.state.Received(); got.Plain != pieceSize || got.Compressed != uint64(len(bomb)) {
		t.Errorf("after one piece: %+v", got)
	}
	allocated := testing.AllocsPerRun(400, func() { r.in(stream.Frame{}) })
	if allocated > 0 {
		t.Errorf("%v allocations for each piece", allocated)
	}
}

func TestReceiveCorrupt(t *testing.T) {
	for _, message := range []string{"\xff", "\x05", "\xf2\x48\xcd\xc9"} {
		r := newReceiver(&State{agreed: setup(Takeover, 15)})
		r.window.add(make([]byte, 1000))
		_, err := receive(t, r, arriving([]byte(message), 100)[0], nil)
		var protocol *result.ProtocolError
		if !errors.As(err, &protocol) || protocol.Code != result.StatusInvalidPayload {
			t.Errorf("%x: got %v", message, err)
		}
		if r.decoder != nil || r.window.buf != nil {
			t.Errorf("%x: memory was kept", message)
		}
	}
}

// The application may do what it likes with what it gets.
func TestWindowIsNotHandedOut(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{})
	r := newReceiver(s.state)
	for range 3 {
		m := corpus("records", 1000, 1)[0]
		send(t, s, whole(m))
		payload, _ := w.message(t)
		out, _, err := r.in(arriving(payload, 1<<20)[0])
		if err != nil || !bytes.Equal(out.Payload, m) {
			t.Fatalf("got %d bytes, %v", len(out.Payload), err)
		}
		clear(out.Payload)
		r.in(stream.Frame{})
	}
}

// Without takeover nothing of one message can be reached from the next, on
// whatever connection.
func TestNoTakeoverForgets(t *testing.T) {
	for range 50 {
		r := newReceiver(&State{agreed: setup(NoTakeover, 15)})
		got, err := receive(t, r, arriving(compressed(noise(3*pieceSize), 0), 1<<20)[0], nil)
		if err != nil || len(join(t, got)) != 3*pieceSize {
			t.Fatal(err)
		}
		copied := new(bitString).number(0b010, 3).code("0000001").code("00000").code("0000000").number(0, 3)
		if _, err := receive(t, r, arriving(copied.p, 100)[0], nil); err == nil {
			t.Fatal("a copy of what the message before had was taken")
		}
	}
}

// The smaller window is enforced on whole connections.
func TestReceiverWindow(t *testing.T) {
	for _, mode := range []ContextMode{Takeover, NoTakeover} {
		s, w := newTestSender(setup(mode, 15), Options{})
		m := append(noise(600), noise(100)...)
		send(t, s, whole(m))
		payload, packed := w.message(t)
		if !packed {
			t.Fatal("was not compressed")
		}
		for bits, good := range map[int]bool{15: true, 10: true, 9: false, 8: false} {
			r := newReceiver(&State{agreed: setup(mode, bits)})
			if _, err := receive(t, r, arriving(payload, 1<<20)[0], nil); (err == nil) != good {
				t.Errorf("%v, %d bits, a distance of 600: got %v", mode, bits, err)
			}
		}
	}
}
