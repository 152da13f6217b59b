package deflate

import (
	"bytes"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// FuzzRoundTrip sends two messages, whole and in pieces, and has them inflated
// by the receiver and by the judge.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("hello hello hello hello hello hello hello"), []byte("hello"), uint8(0), uint8(3), uint16(7))
	f.Add(corpus("records", 700, 1)[0], corpus("records", 700, 2)[1], uint8(7), uint8(1), uint16(300))
	f.Add(make([]byte, 1000), noise(100), uint8(4), uint8(2), uint16(0))
	f.Fuzz(func(t *testing.T, a, b []byte, bits, flags uint8, at uint16) {
		agreed := setup(ContextMode(flags&1), minWindowBits+int(bits%8))
		s, w := newTestSender(agreed, Options{Threshold: -1, Level: int(flags >> 1 % 10)})
		r := newReceiver(s.state)
		j := &judge{takeover: agreed.LocalContextMode == Takeover, bits: agreed.LocalMaxWindowBits}
		a = bytes.Repeat(a, 1+int(at>>12))
		for _, frames := range [][]stream.Frame{{whole(a)}, pieces(b, int(at), int(bits), 0), {whole(a)}} {
			var m []byte
			for _, f := range frames {
				m = append(m, f.Payload...)
			}
			send(t, s, frames...)
			payload, packed := w.message(t)
			if !packed {
				if !bytes.Equal(payload, m) {
					t.Fatalf("%q went as %q", m, payload)
				}
				continue
			}
			if got := j.inflate(t, payload); !bytes.Equal(got, m) {
				t.Fatalf("%q came out as %q", m, got)
			}
			var got []stream.Frame
			for _, f := range arriving(payload, 1+int(bits)) {
				var err error
				if got, err = receive(t, r, f, got); err != nil {
					t.Fatal(err)
				}
			}
			if got := join(t, got); !bytes.Equal(got, m) {
				t.Fatalf("%q was received as %q", m, got)
			}
		}
	})
}
