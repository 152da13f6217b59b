package deflate

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// contents are messages of many kinds and sizes.
func contents() map[string][]byte {
	all := map[string][]byte{
		"one byte": {'a'}, "two alike": []byte("aa"), "Hello": []byte("Hello"),
		"letters": []byte(strings.Repeat("abcdefgh", 40)), "zeros": make([]byte, 17_000), "noise": noise(1_000),
		"a tail": {0x00, 0x00, 0xFF, 0xFF}, "tails": bytes.Repeat([]byte{0x00, 0x00, 0xFF, 0xFF}, 50),
		"noise, then zeros": append(noise(1_000), make([]byte, 1_000)...),
	}
	if !raced {
		all["many zeros"], all["much noise"] = make([]byte, 100_000), noise(40_000)
		all["much noise, then many zeros"] = append(noise(20_000), make([]byte, 20_000)...)
	}
	for kind := range corpora {
		for _, size := range []int{30, 300, 2_000, 16<<10 + 1, 16 << 10, 70_000} {
			if raced && size > 2_000 {
				break
			}
			all[fmt.Sprintf("%s of %d bytes", kind, size)] = corpus(kind, size, 1)[0]
		}
	}
	return all
}

// sendSetups are what the suites of sent messages run with.
var sendSetups = []struct {
	name   string
	agreed Setup
	opts   Options
}{
	{"takeover", defaults, Options{Threshold: -1}},
	{"no takeover", setup(NoTakeover, 15), Options{Threshold: -1}},
	{"takeover, level 9", defaults, Options{Threshold: -1, Level: 9}},
	{"takeover, 8 bits", setup(Takeover, 8), Options{Threshold: -1}},
	{"no takeover, 8 bits, level 1", setup(NoTakeover, 8), Options{Threshold: -1, Level: 1}},
}

// "An endpoint uses the following algorithm to compress a message": the payload
// is compressed, and what comes of it stands in frames of which the first has
// RSV1. A message may also be left as it is, without that bit.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6.1
func TestSection6_1Sent(t *testing.T) {
	for name, m := range contents() {
		for _, with := range sendSetups {
			for _, w := range ways {
				inBothRoles(t, "6.1", fmt.Sprintf("%s of %s, %s", w.name, name, with.name), func(t *testing.T, s side) {
					p := s.start(t, with.agreed, with.opts, nil)
					j := &judge{takeover: with.agreed.LocalContextMode == Takeover, bits: with.agreed.LocalMaxWindowBits}
					j.roundTrip(t, p, w, m)
					j.roundTrip(t, p, w, m)
				})
			}
		}
	}
}

// roundTrip sends a message, which must come out at the peer's as it was.
func (j *judge) roundTrip(t *testing.T, p *script.Peer, w way, m []byte) {
	t.Helper()
	if err := w.send(p.Conn, stream.Message{Type: stream.Binary, Data: m}); err != nil {
		t.Fatal(err)
	}
	got := nextMessage(t, p)
	if got.compressed {
		got.payload = j.inflate(t, got.payload)
	}
	if !bytes.Equal(got.payload, m) {
		t.Fatalf("%d bytes came out as %d", len(m), len(got.payload))
	}
}

// Messages "that are sent uncompressed" go as they are: their payload is the
// application's, and RSV1 is 0.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6.1
func TestSection6_1Uncompressed(t *testing.T) {
	big := corpus("records", 5_000, 1)[0]
	for name, m := range map[string]stream.Message{
		"below the threshold":      text("a"),
		"an empty message":         text(""),
		"an empty binary":          bin(""),
		"what would only grow":     bin(noise(5_000)),
		"what its sender wants so": {Type: stream.Text | stream.Verbatim, Data: big},
	} {
		inBothRoles(t, "6.1", "sent as it is: "+name, func(t *testing.T, s side) {
			p := s.start(t, defaults, Options{}, nil)
			j := &judge{takeover: true, bits: 15}
			for _, m := range []stream.Message{m, text(big), m, text(big)} {
				if err := p.Conn.Send(context.Background(), m); err != nil {
					t.Fatal(err)
				}
				got := nextMessage(t, p)
				if compress := m.Type&stream.Verbatim == 0 && bytes.Equal(m.Data, big); got.compressed != compress {
					t.Errorf("%d bytes: compressed is %t", len(m.Data), got.compressed)
				}
				if got.compressed {
					got.payload = j.inflate(t, got.payload)
				}
				if !bytes.Equal(got.payload, m.Data) || got.opcode != byte(m.Type&^stream.Verbatim) {
					t.Errorf("%d bytes came out as %d of opcode %d", len(m.Data), len(got.payload), got.opcode)
				}
			}
		})
	}
}

// "Remove 4 octets (that are 0x00 0x00 0xff 0xff) from the tail end. After this
// step, the last octet of the compressed data contains (possibly part of) the
// DEFLATE header bits with the "BTYPE" bits set to 00."
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.1
func TestSection7_2_1Tail(t *testing.T) {
	for name, m := range contents() {
		for _, with := range sendSetups {
			inBothRoles(t, "7.2.1", name+", "+with.name, func(t *testing.T, s side) {
				p := s.start(t, with.agreed, with.opts, nil)
				if err := ways[2].send(p.Conn, stream.Message{Type: stream.Binary, Data: m}); err != nil {
					t.Fatal(err)
				}
				got := nextMessage(t, p)
				if !got.compressed {
					if len(m) > 200 && name != "noise" {
						t.Error("it was not compressed")
					}
					return
				}
				if bytes.HasSuffix(got.payload, tail) {
					t.Errorf("the tail was not removed: % x", got.payload[max(0, len(got.payload)-16):])
				}
				blocks := &puff{in: got.payload}
				if kind, end := blocks.lastHeader(); kind != 0 || (end+7)/8 != len(got.payload) {
					t.Errorf("the last block has the type %d and its header ends at bit %d of %d", kind, end, 8*len(got.payload))
				}
			})
		}
	}
}

// lastHeader reads blocks up to the one that the end of the input cuts off, and
// returns the type of that and where its header ends.
func (p *puff) lastHeader() (kind, end int) {
	defer func() { recover() }()
	for {
		began := p.at
		p.bits(1)
		kind = p.bits(2)
		end, p.at = p.at, began
		p.block()
	}
}

// "An endpoint MAY use multiple DEFLATE blocks to compress one message." Sent
// piece by piece, each piece can be inflated when it comes.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.1
func TestSection7_2_1Pieces(t *testing.T) {
	for _, with := range sendSetups {
		inBothRoles(t, "7.2.1", "each piece reaches the peer, "+with.name, func(t *testing.T, s side) {
			p := s.start(t, with.agreed, with.opts, nil)
			w, err := p.Conn.Writer(context.Background(), stream.Text)
			if err != nil {
				t.Fatal(err)
			}
			m := corpus("ticker", 50_000, 1)[0]
			for i := range 5 {
				w.Write(m[i*10_000:][:10_000])
			}
			var got, payload []byte
			for len(got) < 40_000 {
				payload = append(payload, p.Next("most of the message").Payload...)
				if got = new(puff).beginning(payload); !bytes.HasPrefix(m, got) {
					t.Fatalf("%d bytes came out otherwise", len(got))
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// beginning returns what can be inflated of the beginning of a message.
func (p *puff) beginning(payload []byte) (plain []byte) {
	p.in = payload
	defer func() {
		recover()
		plain = p.out
	}()
	for {
		p.block()
	}
}

// The fragment size means the same with compression as without: 100 KB make one
// frame up to 128 KiB, or whatever their size if there is no limit, and frames
// of exactly the limit otherwise.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-6.1
func TestFragmentSizeOfCompressedMessages(t *testing.T) {
	for _, size := range []int{-1, 0, 20_000} {
		for _, with := range sendSetups {
			inBothRoles(t, "6.1", fmt.Sprintf("fragments of %d, %s", size, with.name), func(t *testing.T, s side) {
				p := s.start(t, with.agreed, with.opts, &stream.Options{FragmentSize: size})
				m := make([]byte, 100_000)
				for i, c := range noise(len(m)) {
					m[i] = "0123456789abcdef"[c&15]
				}
				go p.Conn.SendBinary(context.Background(), m)
				j := &judge{takeover: with.agreed.LocalContextMode == Takeover, bits: with.agreed.LocalMaxWindowBits}
				var payload []byte
				compressed := false
				for n := 0; ; n++ {
					f := p.Next("a frame")
					compressed = compressed || f.RSV == rsv1
					payload = append(payload, f.Payload...)
					if f.Fin {
						if size <= 0 && n > 0 {
							t.Errorf("it came in %d frames", n+1)
						}
						break
					}
					if len(f.Payload) != size {
						t.Errorf("frame %d has %d bytes", n, len(f.Payload))
					}
				}
				if compressed {
					payload = j.inflate(t, payload)
				}
				if !bytes.Equal(payload, m) {
					t.Error("it came out otherwise")
				}
			})
		}
	}
}
