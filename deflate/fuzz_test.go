package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/result"
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

// FuzzReceive has a receiver inflate two messages of a peer's that may be
// anything, cut into frames of a size. What the judge can inflate within the
// window, and compress/flate finds nothing wrong with, comes out the same;
// what does not come out is the peer's fault. No piece is too large, and no
// decoder is kept.
func FuzzReceive(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.message), []byte(v.message), uint8(7), uint16(2))
	}
	for kind := range corpora {
		m := compressed(corpus(kind, 600, 1)[0], 6)
		f.Add(m, m, uint8(15), uint16(100))
		f.Add(m, m, uint8(0), uint16(1))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, how uint8, size uint16) {
		if len(a)+len(b) > 4096 {
			t.Skip("longer than anything needs")
		}
		agreed := setup(ContextMode(how>>3&1), minWindowBits+int(how&7))
		r := newReceiver(&State{agreed: agreed})
		var history []byte
		for _, message := range [][]byte{a, b} {
			plain, err := receiveAny(t, r, message, 1+int(size))
			past := history[max(0, len(history)-1<<agreed.PeerMaxWindowBits):]
			want, farthest, judged := inflatePuff(past, message)
			good := judged == nil && farthest <= 1<<agreed.PeerMaxWindowBits && sound(past, message)
			if good && (err != nil || !bytes.Equal(plain, want)) {
				t.Fatalf("%x came out as %x, %v, want %x", message, plain, err, want)
			}
			if err != nil {
				return
			}
			if agreed.PeerContextMode == Takeover {
				history = append(history, plain...)
			}
		}
	})
}

// sound reports that compress/flate can inflate a message. The judge lets codes
// pass that are ambiguous.
func sound(past, message []byte) bool {
	const final = "\x01\x00\x00\xff\xff"
	_, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(slices.Concat(message, tail, []byte(final))), past))
	return err == nil
}

// receiveAny returns what a receiver makes of a message, or its error, which
// must be a protocol error.
func receiveAny(t *testing.T, r *receiver, message []byte, size int) (plain []byte, err error) {
	t.Helper()
	var got []stream.Frame
	for _, f := range arriving(message, size) {
		if got, err = receive(t, r, f, got); err != nil {
			break
		}
	}
	if r.decoder != nil {
		t.Fatal("the decoder was kept after the message")
	}
	var breach *result.ProtocolError
	if err != nil && (!errors.As(err, &breach) || breach.Code != result.StatusInvalidPayload) {
		t.Fatalf("%T: %v, want a protocol error with the code 1007", err, err)
	}
	if err != nil {
		return nil, err
	}
	return join(t, got), nil
}
