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

// copies is a message that is a copy of three bytes from so far back.
func copies(distance int) []byte {
	sym := len(puffDistances) - 1
	for puffDistances[sym] > distance {
		sym--
	}
	block := new(bitString).number(0b010, 3) // no BFINAL, fixed codes
	block.code("0000001").code(fmt.Sprintf("%05b", sym)).number(distance-puffDistances[sym], puffDistanceBits[sym])
	return block.code("0000000").number(0, 3).p // its end, and the header of the tail's
}

// "If the agreed parameters contain the "server_no_context_takeover" extension
// parameter, the server MUST NOT use the same LZ77 sliding window to compress
// the next message"; likewise the client. Without the parameter it may, and does.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.1
func TestSection7_1_1Sent(t *testing.T) {
	m := corpus("records", 1_000, 1)[0]
	for _, w := range ways {
		for _, opts := range []Options{{}, {Level: 6}} {
			how := fmt.Sprintf("%s, level %d", w.name, opts.Level)
			send := func(t *testing.T, p *script.Peer) sent {
				t.Helper()
				if err := w.send(p.Conn, stream.Message{Type: stream.Text, Data: m}); err != nil {
					t.Fatal(err)
				}
				return nextMessage(t, p)
			}
			inEachDirection(t, "7.1.1.1", "7.1.1.2", true, "each message stands alone, "+how, func(t *testing.T, s side) {
				p := s.start(t, Setup{NoTakeover, Takeover, 15, 15}, opts, nil)
				first := send(t, p)
				for range 3 {
					next := send(t, p)
					if !next.compressed || !bytes.Equal(next.payload, first.payload) {
						t.Errorf("%d bytes at first, then %d", len(first.payload), len(next.payload))
					}
					if got := (&judge{bits: 15}).inflate(t, next.payload); !bytes.Equal(got, m) {
						t.Errorf("it came out as %d bytes", len(got))
					}
				}
			})
			inEachDirection(t, "7.1.1.1", "7.1.1.2", true, "takeover is used, "+how, func(t *testing.T, s side) {
				p := s.start(t, Setup{Takeover, NoTakeover, 15, 15}, opts, nil)
				j := &judge{takeover: true, bits: 15}
				first := j.inflate(t, send(t, p).payload)
				next := send(t, p)
				if got := j.inflate(t, next.payload); !bytes.Equal(first, m) || !bytes.Equal(got, m) || len(next.payload) > 40 {
					t.Errorf("the second message has %d bytes and comes out as %d", len(next.payload), len(got))
				}
				if _, _, err := inflatePuff(nil, next.payload); err == nil {
					t.Error("the second message needs nothing of the first")
				}
			})
		}
	}
}

// What went uncompressed is in no window, nor is what control frames hold.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.1
func TestSection7_1_1SentBetween(t *testing.T) {
	m := corpus("records", 1_000, 2)
	inEachDirection(t, "7.1.1.1", "7.1.1.2", true, "uncompressed messages between are not referred to", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, nil)
		takeAll(p.Conn)
		j := &judge{takeover: true, bits: 15}
		for i := range 6 {
			p.Sends(script.Ping("p"))
			p.Wants("a Pong", script.Pong("p"))
			want := stream.Message{Type: stream.Text, Data: m[i/2%2]}
			if i%2 == 0 {
				want.Type |= stream.Verbatim
			}
			if err := p.Conn.Send(context.Background(), want); err != nil {
				t.Fatal(err)
			}
			got := nextMessage(t, p)
			if got.compressed != (i%2 == 1) {
				t.Fatalf("message %d: compressed is %t", i, got.compressed)
			}
			if got.compressed {
				got.payload = j.inflate(t, got.payload)
			}
			if !bytes.Equal(got.payload, want.Data) {
				t.Fatalf("message %d came out otherwise", i)
			}
		}
	})
}

// A peer that agreed to take no context over may not refer to the message
// before; one that did not may.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.1
func TestSection7_1_1Received(t *testing.T) {
	first, again := packed(script.Text(hello)), packed(script.Text(copies(5)))
	one, two := []stream.Message{text("Hello")}, []stream.Message{text("Hello"), text("Hel")}
	none, kept := Setup{Takeover, NoTakeover, 15, 15}, Setup{NoTakeover, Takeover, 15, 15}
	for _, in := range []inbound{
		{name: "a reference into the message before", agreed: none, sends: []script.Frame{first, again}, yields: one, breach: 1007},
		{name: "a reference over the message's beginning", agreed: none, sends: []script.Frame{first, packed(script.Text(stored(0, "Hel") + string(copies(4))))}, yields: one, breach: 1007},
		{name: "a reference within the second message", agreed: none, sends: []script.Frame{first, packed(script.Text(stored(0, "Hello") + string(copies(5))))}, yields: []stream.Message{text("Hello"), text("HelloHel")}},
		{name: "messages that stand alone", agreed: none, sends: []script.Frame{first, first, first}, yields: append(two[:1:1], text("Hello"), text("Hello"))},
		{name: "takeover: a reference into the message before", agreed: kept, sends: []script.Frame{first, again}, yields: two},
		{name: "takeover: a reference into the last but one", agreed: kept, sends: []script.Frame{first, again, packed(script.Text(copies(8)))}, yields: append(two, text("Hel"))},
		{name: "takeover: an uncompressed message between", agreed: kept, sends: []script.Frame{first, script.Text("xxxxx"), again}, yields: []stream.Message{one[0], text("xxxxx"), text("Hel")}},
		{name: "takeover: control frames between", agreed: kept, sends: []script.Frame{first, script.Ping("xxxxx"), again, script.Pong("x")}, pongs: []string{"xxxxx"}, yields: two},
		{name: "takeover: an empty message between", agreed: kept, sends: []script.Frame{first, packed(script.Text("\x00")), again}, yields: []stream.Message{one[0], text(""), text("Hel")}},
		{name: "takeover: a message in fragments before", agreed: kept, sends: append(split(script.Text(hello), 2), again), yields: two},
		{name: "takeover: a final block before", agreed: kept, sends: []script.Frame{packed(script.Text("\xf3" + hello[1:] + "\x00")), again}, yields: two},
		{name: "takeover: a reference before the first message", agreed: kept, sends: []script.Frame{first, packed(script.Text(copies(6)))}, yields: one, breach: 1007},
	} {
		inEachDirection(t, "7.1.1.1", "7.1.1.2", false, in.name, func(t *testing.T, s side) {
			in.run(t, s, (*script.Peer).Sends)
		})
	}
}

// A sent message refers to no byte that lies further back than the agreed
// window, and yet the window is used.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.2
func TestSection7_1_2Sent(t *testing.T) {
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		for _, mode := range []ContextMode{Takeover, NoTakeover} {
			for _, level := range []int{1, 5} {
				if raced && (bits > 11 && bits < 15 || bits == 15 && level > 1) {
					continue
				}
				name := fmt.Sprintf("sending with %d bits, %v, level %d", bits, mode, level)
				inEachDirection(t, "7.1.2.1", "7.1.2.2", true, name, func(t *testing.T, s side) {
					p := s.start(t, Setup{mode, Takeover, bits, 15}, Options{Threshold: -1, Level: level}, nil)
					j := &judge{takeover: mode == Takeover, bits: bits}
					for i, m := range farMessages(1 << bits) {
						j.roundTrip(t, p, ways[i%len(ways)], m)
					}
					if least := 1 << bits * 3 / 4; j.farthest < least {
						t.Errorf("the greatest distance was %d, want at least %d", j.farthest, least)
					}
				})
			}
		}
	}
}

// farMessages have what occurs again at distances around the window's size.
func farMessages(window int) (messages [][]byte) {
	for _, beyond := range []int{-1, 0, 1} {
		m := fmt.Appendf(nil, "%x", noise(window+200))
		for at := window + beyond; at+50 < len(m); at += 61 {
			copy(m[at:][:50], m[at-window-beyond:])
		}
		messages = append(messages, m)
	}
	return append(messages, []byte(strings.Repeat("abcdefgh", window/4)))
}

// A peer may refer as far back as the agreed window reaches, and no further:
// what lies there is not kept.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.1.2
func TestSection7_1_2Received(t *testing.T) {
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		window := 1 << bits
		agreed := Setup{Takeover, Takeover, 15, bits}
		past := string(noise(window + 100))
		for _, distance := range []int{1, window - 1, window, window + 1, window + 50} {
			if distance > 1<<maxWindowBits {
				continue // DEFLATE has no such distances
			}
			in := inbound{agreed: agreed, sends: []script.Frame{packed(script.Binary(storedAll(past))), packed(script.Binary(copies(distance)))}, yields: []stream.Message{bin(past)}}
			within := inbound{agreed: agreed, sends: []script.Frame{packed(script.Binary(strings.TrimSuffix(storedAll(past), "\x00") + string(copies(distance))))}}
			if distance <= window {
				back := past[len(past)-distance:]
				copied := (back + back + back)[:3]
				in.yields = append(in.yields, bin(copied))
				within.yields = []stream.Message{bin(past + copied)}
			} else {
				in.breach, within.breach = 1007, 1007
			}
			for name, in := range map[string]inbound{"across messages": in, "within a message": within} {
				name := fmt.Sprintf("receiving with %d bits, a distance of %d %s", bits, distance, name)
				inEachDirection(t, "7.1.2.1", "7.1.2.2", false, name, func(t *testing.T, s side) {
					in.run(t, s, (*script.Peer).Sends)
				})
				inEachDirection(t, "7.1.2.1", "7.1.2.2", false, name+", no takeover", func(t *testing.T, s side) {
					in := in
					in.agreed.PeerContextMode = NoTakeover
					if len(in.sends) > 1 {
						in.yields, in.breach = in.yields[:1], 1007
					}
					in.run(t, s, (*script.Peer).Sends)
				})
			}
		}
	}
}

// storedAll is a message of stored blocks.
func storedAll(p string) string {
	var b strings.Builder
	for ; len(p) > 0xFFFF; p = p[0xFFFF:] {
		b.WriteString(stored(0, p[:0xFFFF]))
	}
	b.WriteString(stored(0, p))
	return b.String() + "\x00"
}
