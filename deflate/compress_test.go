package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	klauspost "github.com/klauspost/compress/flate"

	"github.com/wsflow/wsflow/stream"
)

// A capture collects what a sender hands on.
type capture struct {
	frames []stream.Frame
	fail   error
}

func (w *capture) down(f stream.Frame) error {
	if w.fail != nil {
		return w.fail
	}
	f.Payload = bytes.Clone(f.Payload)
	w.frames = append(w.frames, f)
	return nil
}

// message returns the one message on the wire, and clears it.
func (w *capture) message(t *testing.T) (payload []byte, compressed bool) {
	t.Helper()
	for i, f := range w.frames {
		if f.First != (i == 0) || f.Last != (i == len(w.frames)-1) {
			t.Fatalf("frame %d of %d has First %t and Last %t", i, len(w.frames), f.First, f.Last)
		}
		if f.RSV != w.frames[0].RSV || f.Type != w.frames[0].Type {
			t.Fatalf("frame %d has RSV %d and type %v, the first %d and %v", i, f.RSV, f.Type, w.frames[0].RSV, w.frames[0].Type)
		}
		payload = append(payload, f.Payload...)
	}
	if len(w.frames) == 0 {
		t.Fatal("nothing was sent")
	}
	compressed = w.frames[0].RSV&rsv1 != 0
	w.frames = nil
	return payload, compressed
}

// setup returns one with both directions alike, and all fields set.
func setup(mode ContextMode, bits int) Setup { return Setup{mode, mode, bits, bits} }

func newTestSender(s Setup, opts Options) (*sender, *capture) {
	w := new(capture)
	return newSender(&State{agreed: s}, opts, w.down), w
}

// whole is a message at hand in one piece.
func whole(p []byte) stream.Frame {
	return stream.Frame{Type: stream.Text, First: true, Last: true, Payload: p}
}

// pieces cuts a message.
func pieces(p []byte, sizes ...int) (frames []stream.Frame) {
	for i, n := range sizes {
		n = min(n, len(p))
		if i == len(sizes)-1 {
			n = len(p)
		}
		frames = append(frames, stream.Frame{Type: stream.Binary, First: i == 0, Last: i == len(sizes)-1, Payload: p[:n]})
		p = p[n:]
	}
	return frames
}

func send(t *testing.T, s *sender, frames ...stream.Frame) {
	t.Helper()
	for _, f := range frames {
		if err := s.out(f); err != nil {
			t.Fatal(err)
		}
	}
	if last := frames[len(frames)-1]; last.Last && s.encoder != nil {
		t.Fatal("the encoder was kept after the message")
	}
}

// A judge is a peer that inflates literally.
type judge struct {
	history  []byte
	takeover bool
	bits     int
	farthest int
}

func (j *judge) inflate(t *testing.T, message []byte) []byte {
	t.Helper()
	var history []byte
	if j.takeover {
		history = j.history[max(0, len(j.history)-1<<j.bits):]
	}
	plain, farthest, err := inflatePuff(history, message)
	if err != nil {
		t.Fatal(err)
	}
	if farthest > 1<<j.bits {
		t.Fatalf("a distance of %d, with a window of %d", farthest, 1<<j.bits)
	}
	j.farthest = max(j.farthest, farthest)
	j.history = append(j.history, plain...)
	return plain
}

// TestRoundTrips sends messages of all sizes, whole and in pieces, in each
// window and context mode, and at each level.
func TestRoundTrips(t *testing.T) {
	for _, mode := range []ContextMode{Takeover, NoTakeover} {
		for bits := minWindowBits; bits <= maxWindowBits; bits++ {
			levels := []int{1, 2, 6, 9}
			if bits < maxWindowBits {
				levels = []int{0, 1}
			}
			for _, level := range levels {
				t.Run(fmt.Sprintf("%v/%d bits/level %d", mode, bits, level), func(t *testing.T) {
					t.Parallel()
					s, w := newTestSender(setup(mode, bits), Options{Level: level, Threshold: -1})
					j := &judge{takeover: mode == Takeover, bits: bits}
					r := rand.New(rand.NewPCG(uint64(bits), uint64(level)))
					for i := range 60 {
						m := testMessage(r, i)
						send(t, s, cut(r, m)...)
						payload, packed := w.message(t)
						if packed {
							payload = j.inflate(t, payload)
						}
						if !bytes.Equal(payload, m) {
							t.Fatalf("message %d of %d bytes came out as %d", i, len(m), len(payload))
						}
					}
					if least := 1 << bits * 3 / 4; j.farthest < least {
						t.Errorf("no distance was over %d, so that the window of %d was not tried", j.farthest, 1<<bits)
					}
				})
			}
		}
	}
}

func testMessage(r *rand.Rand, i int) []byte {
	size := 1 + r.IntN(1<<r.IntN(13))
	switch i % 10 {
	case 3:
		return noise(size)
	case 5:
		return make([]byte, size)
	case 7: // something from far away
		p := noise(40_000 + r.IntN(30_000))
		for n := 200; n < len(p)-100; n += 200 {
			copy(p[n:], p[max(0, n-1<<r.IntN(16)):][:50])
		}
		return p
	}
	return corpora[[]string{"records", "ticker"}[i%2]](r, size)
}

func cut(r *rand.Rand, m []byte) []stream.Frame {
	if r.IntN(3) > 0 {
		return []stream.Frame{whole(m)}
	}
	var sizes []int
	for range 1 + r.IntN(4) {
		sizes = append(sizes, r.IntN(len(m)+1))
	}
	return pieces(m, append(sizes, 0)...)
}

func TestThreshold(t *testing.T) {
	for _, test := range []struct {
		mode      ContextMode
		threshold int
		size      int
		want      bool
	}{
		{Takeover, 0, 31, false},
		{Takeover, 0, 32, true},
		{NoTakeover, 0, 255, false},
		{NoTakeover, 0, 256, true},
		{NoTakeover, 100, 99, false},
		{NoTakeover, 100, 100, true},
		{NoTakeover, -1, 10, true},
	} {
		s, w := newTestSender(setup(test.mode, 15), Options{Threshold: test.threshold})
		m := bytes.Repeat([]byte("a"), test.size)
		send(t, s, whole(m))
		if payload, packed := w.message(t); packed != test.want || !packed && !bytes.Equal(payload, m) {
			t.Errorf("%v, threshold %d, %d bytes: compressed is %t", test.mode, test.threshold, test.size, packed)
		}
	}
}

// A message that comes in pieces is compressed whatever its first piece is.
func TestThresholdIsForWholeMessages(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{Threshold: 1000})
	m := bytes.Repeat([]byte("ab"), 20)
	send(t, s, pieces(m, 1, 30, 0)...)
	payload, packed := w.message(t)
	if !packed {
		t.Fatal("was not compressed")
	}
	if got := (&judge{bits: 15}).inflate(t, payload); !bytes.Equal(got, m) {
		t.Errorf("got %q", got)
	}
}

func TestVerbatim(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{})
	f := whole(corpus("records", 1000, 1)[0])
	f.Verbatim = true
	send(t, s, f)
	if payload, packed := w.message(t); packed || !bytes.Equal(payload, f.Payload) {
		t.Errorf("got %d bytes, compressed is %t", len(payload), packed)
	}
	if s.window.n != 0 {
		t.Errorf("%d bytes are in the window, of a message that the peer does not inflate", s.window.n)
	}
	frames := pieces(f.Payload, 10, 0)
	frames[0].Verbatim = true
	send(t, s, frames...)
	if payload, packed := w.message(t); packed || !bytes.Equal(payload, f.Payload) {
		t.Errorf("in pieces: got %d bytes, compressed is %t", len(payload), packed)
	}
}

// What would grow goes as it is, and is then not in the window that both sides
// share.
func TestWhatWouldGrow(t *testing.T) {
	for _, level := range []int{1, 6} {
		for _, size := range []int{40, 200, 5000, 16 << 10, 16<<10 + 1, 40_000, 200_000} {
			s, w := newTestSender(setup(Takeover, 15), Options{Level: level})
			j := &judge{takeover: true, bits: 15}
			for _, m := range [][]byte{corpus("records", 2000, 1)[0], noise(size), corpus("records", 2000, 1)[0]} {
				send(t, s, whole(m))
				payload, packed := w.message(t)
				if packed {
					payload = j.inflate(t, payload)
				}
				if !bytes.Equal(payload, m) {
					t.Fatalf("level %d, size %d: the message came out otherwise", level, size)
				}
				if big := level > fastest && size > 64<<10; packed != (m[0] == '{') && !big {
					t.Errorf("level %d, size %d: compressed is %t", level, size, packed)
				}
			}
			if sent := s.state.Sent(); size <= 40_000 && sent.Plain != 4000 {
				t.Errorf("level %d, size %d: %d bytes count as compressed", level, size, sent.Plain)
			}
		}
	}
}

// The first messages of a connection may grow by a little, so that later ones
// find their like; but not if they are noise, nor for ever.
func TestSeed(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{})
	send(t, s, whole(noise(100)))
	if _, packed := w.message(t); packed {
		t.Error("noise was compressed")
	}
	grown := 0
	for i := range 100 {
		digits := fmt.Sprintf("%x", noise(2500)[25*i:][:25]) // which have no likeness
		send(t, s, whole([]byte(digits)))
		payload, _ := w.message(t)
		if len(payload) > 52 {
			t.Fatalf("message %d grew from 50 to %d bytes", i, len(payload))
		}
		if len(payload) > 50 {
			grown++
		}
	}
	if grown == 0 || grown > 1+seedSize/50 {
		t.Errorf("%d messages grew", grown)
	}
}

// A message that gains nothing is not worth the peer's time either.
func TestWhatWouldNotShrink(t *testing.T) {
	s, w := newTestSender(setup(NoTakeover, 15), Options{Threshold: -1})
	for n := range 20 {
		m := strings.Repeat("a", n)
		send(t, s, whole([]byte(m)))
		payload, packed := w.message(t)
		if packed && len(payload) >= n || !packed && string(payload) != m {
			t.Errorf("%q: got %q, compressed is %t", m, payload, packed)
		}
	}
}

// "A sender uses an empty DEFLATE block with no compression": one byte.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.3.6
func TestEmptyMessageInPieces(t *testing.T) {
	for _, level := range []int{1, 6} {
		s, w := newTestSender(setup(Takeover, 15), Options{Level: level})
		send(t, s, pieces(nil, 0, 0, 0)...)
		if payload, packed := w.message(t); !packed || !bytes.Equal(payload, []byte{0}) {
			t.Errorf("level %d: got %x, compressed is %t", level, payload, packed)
		}
	}
}

// What was sent so far can be inflated so far, before the message goes on.
func TestEachPieceIsFlushed(t *testing.T) {
	for _, level := range []int{1, 6} {
		s, w := newTestSender(setup(Takeover, 15), Options{Level: level})
		m := corpus("records", 50_000, 1)[0]
		d := new(decoder)
		past := &window{size: 32 << 10}
		d.reset(past, 1<<15)
		sent := 0
		for _, f := range pieces(m, 1, 100, 30_000, 3, 0) {
			send(t, s, f)
			var got []byte
			for _, f := range w.frames {
				d.in = f.Payload
				for full := true; full; {
					if err := d.run(); err != nil {
						t.Fatal(err)
					}
					full = d.n == pieceSize
					got = append(got, d.out[:d.n]...)
					past.add(d.out[:d.n])
					d.n = 0
				}
			}
			w.frames = nil
			if !bytes.Equal(got, m[sent:sent+len(f.Payload)]) {
				t.Fatalf("level %d: %d bytes arrived of a piece of %d", level, len(got), len(f.Payload))
			}
			sent += len(f.Payload)
		}
	}
}

// A large message leaves in frames of a bounded size.
func TestLargeMessage(t *testing.T) {
	s, w := newTestSender(setup(NoTakeover, 15), Options{})
	m := corpus("ticker", 1<<20, 1)[0]
	send(t, s, whole(m))
	for _, f := range w.frames {
		if len(f.Payload) > pieceSize+chunkSize {
			t.Errorf("a frame has %d bytes", len(f.Payload))
		}
	}
	if n := len(w.frames); n < 8 || n > 40 {
		t.Errorf("1 MiB leaves in %d frames", n)
	}
	payload, _ := w.message(t)
	if got := (&judge{bits: 15}).inflate(t, payload); !bytes.Equal(got, m) {
		t.Error("it came out otherwise")
	}
}

// A message that could not be sent, or was given up by whoever began it, gives
// its encoder back.
func TestSenderGivesUp(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{})
	w.fail = errors.New("refused")
	if err := s.out(whole(corpus("records", 900, 1)[0])); err != w.fail || s.encoder != nil || s.window.n != 0 {
		t.Errorf("got error %v, encoder %p, %d bytes in the window", err, s.encoder, s.window.n)
	}
	if err := s.out(whole(corpus("records", 100_000, 1)[0])); err != w.fail || s.encoder != nil {
		t.Errorf("large: got error %v, encoder %p", err, s.encoder)
	}
	frames := pieces(corpus("records", 900, 1)[0], 100, 0)
	if err := s.out(frames[0]); err != w.fail || s.encoder != nil {
		t.Errorf("in pieces: got error %v, encoder %p", err, s.encoder)
	}
	w.fail = nil
	send(t, s, pieces(corpus("records", 900, 1)[0], 100, 0)[0])
	w.frames = nil
	send(t, s, whole(noise(10)))
	if payload, packed := w.message(t); packed || len(payload) != 10 {
		t.Errorf("after a message without end: got %d bytes, compressed is %t", len(payload), packed)
	}
}

// Other operators' bits stay.
func TestOtherBitsStay(t *testing.T) {
	s, w := newTestSender(setup(NoTakeover, 15), Options{})
	f := whole(corpus("records", 900, 1)[0])
	f.RSV = 2
	send(t, s, f)
	if got := w.frames[0].RSV; got != 6 {
		t.Errorf("got RSV %d, want 6", got)
	}
}

// With a window of 32 KiB, of which 24 are kept, whatever occurs twice in these
// is found again after as many messages as they hold.
func TestTakeoverReachesBack(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{})
	first := noise(64)
	m := append(bytes.Repeat([]byte{'x'}, 64), first...)
	send(t, s, whole(m))
	w.frames = nil
	for _, other := range corpus("records", 1000, 24) {
		send(t, s, whole(other))
		w.frames = nil
	}
	send(t, s, whole(first))
	if payload, packed := w.message(t); !packed || len(payload) > 20 {
		t.Errorf("64 bytes that went 24 KB before take %d, compressed is %t", len(payload), packed)
	}
}

// At most 2 % larger than what others make of the same messages that prime
// klauspost's writer with the window, at its fastest level or as it is for
// smaller windows; and 5 % than those that keep a writer of compress/flate of
// 1.2 MB, in whose window is also what we send as it is.
func TestRatio(t *testing.T) {
	sizes := []int{256, 1 << 10, 4 << 10, 16 << 10, 128 << 10}
	if raced { // which takes long and changes no ratio
		sizes = []int{4 << 10}
	}
	for _, agreed := range []Setup{setup(Takeover, 15), setup(NoTakeover, 15), setup(Takeover, 12)} {
		for _, kind := range slices.Concat(slices.Collect(maps.Keys(corpora)), slices.Collect(maps.Keys(texts))) {
			for _, size := range sizes {
				t.Run(fmt.Sprintf("%v %d bits/%s/%d", agreed.LocalContextMode, agreed.LocalMaxWindowBits, kind, size), func(t *testing.T) {
					t.Parallel()
					s, w := newTestSender(agreed, Options{Threshold: -1})
					primed, persistent := primed(agreed), persistent(agreed.LocalContextMode)
					ours, theirs, kept := 0, 0, 0
					for _, m := range corpus(kind, size, 2+100_000/size) {
						send(t, s, whole(m))
						payload, _ := w.message(t)
						ours += len(payload)
						theirs += primed(m)
						kept += persistent(m)
					}
					if ours*100 > theirs*102 || ours*100 > kept*105 {
						t.Errorf("%d bytes, but %d and %d", ours, theirs, kept)
					}
				})
			}
		}
	}
}

func primed(agreed Setup) func([]byte) int {
	var b bytes.Buffer
	w, _ := klauspost.NewWriter(&b, klauspost.BestSpeed)
	if agreed.LocalMaxWindowBits < maxWindowBits {
		w, _ = klauspost.NewWriterWindow(&b, 1<<agreed.LocalMaxWindowBits)
	}
	past := window{size: 1 << agreed.LocalMaxWindowBits}
	return func(m []byte) int {
		b.Reset()
		dict := make([]byte, past.n)
		past.read(dict, past.n)
		w.ResetDict(&b, dict)
		w.Write(m)
		w.Flush()
		if agreed.LocalContextMode == Takeover {
			past.add(m)
		}
		return b.Len() - len(tail)
	}
}

func persistent(mode ContextMode) func([]byte) int {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	return func(m []byte) int {
		b.Reset()
		if mode == NoTakeover {
			w.Reset(&b)
		}
		w.Write(m)
		w.Flush()
		return b.Len() - len(tail)
	}
}

// Short messages profit from the window too, at each level and window.
func TestShortMessages(t *testing.T) {
	for _, agreed := range []Setup{setup(Takeover, 15), setup(Takeover, 12), setup(Takeover, 9)} {
		for _, level := range []int{0, 1, 6, 9} {
			s, w := newTestSender(agreed, Options{Level: level})
			sum := 0
			for range 20 {
				send(t, s, whole([]byte(`{"type":"typing","room":"general","user":"somebody","since":1700000000}`)))
				payload, _ := w.message(t)
				sum += len(payload)
			}
			if sum > 20*12 {
				t.Errorf("%+v, level %d: messages of 72 bytes take %d on average", agreed, level, sum/20)
			}
		}
	}
}

// What went before on other connections leaves no trace in what is sent.
func TestDeterministic(t *testing.T) {
	m := corpus("records", 3000, 1)[0]
	var first []byte
	for i := range 20 {
		s, w := newTestSender(setup(NoTakeover, 15), Options{})
		send(t, s, whole(m))
		payload, _ := w.message(t)
		if i == 0 {
			first = payload
		}
		if !bytes.Equal(payload, first) {
			t.Fatal("the same message came out otherwise")
		}
		other, _ := newTestSender(setup(Takeover, 15), Options{})
		send(t, other, whole(corpus("ticker", 1000*i+500, 1)[0]))
	}
}

func TestSent(t *testing.T) {
	s, w := newTestSender(setup(Takeover, 15), Options{})
	packed := uint64(0)
	for _, m := range corpus("ticker", 5000, 3) {
		send(t, s, pieces(m, 2000, 0)...)
		payload, _ := w.message(t)
		packed += uint64(len(payload))
	}
	if got := s.state.Sent(); got != (Bytes{15000, packed}) {
		t.Errorf("got %+v, want 15000 and %d", got, packed)
	}
}
