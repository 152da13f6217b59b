package stream

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// bursts returns what burst takes of the bytes, and where it stops.
func bursts(b []byte, begun frame, most int, attention *atomic.Int32, yield func(Message) bool) (pos int, goesOn bool) {
	in := inbound{parsing: &parsing{buf: b, end: len(b), frame: begun}}
	goesOn = in.burst(most, attention, nil, func(m Message, err error) bool { return err == nil && yield(m) })
	return in.pos, goesOn
}

// A burst takes whole, small, final, unmasked data frames without reserved bits,
// and stops in front of anything else.
func TestBurstStopsAtWhatIsNotSmallAndWhole(t *testing.T) {
	data := func(op byte, payload string) []byte {
		return append(wire.Append(nil, wire.Header{Fin: true, Opcode: op, Length: int64(len(payload))}), payload...)
	}
	two := slices.Concat(data(1, "é"), data(2, "\xff"))
	long := strings.Repeat("x", 126)
	for _, test := range []struct {
		name  string
		next  []byte
		takes bool
	}{
		{"nothing", nil, false},
		{"one byte", []byte{0x82}, false},
		{"an empty message", data(2, ""), true},
		{"a payload of 125 bytes", data(1, long[1:]), true},
		{"a payload of 126 bytes", data(1, long), true},
		{"the largest payload", data(2, strings.Repeat("x", 1000)), true},
		{"a payload that is too large", data(2, strings.Repeat("x", 1001)), false},
		{"half of a payload", data(2, "abcd")[:4], false},
		{"half of a length", []byte{0x82, 126, 0}, false},
		{"a length that is not minimal", append([]byte{0x82, 126, 0, 125}, long...), false},
		{"a length of 64 bits", append([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 3}, "abc"...), false},
		{"text that is not valid", data(1, "\xff"), false},
		{"half of a rune", data(1, "\xc3"), false},
		{"a first fragment", []byte{0x02, 1, 'a'}, false},
		{"a continuation", []byte{0x80, 1, 'a'}, false},
		{"a reserved bit", []byte{0xC2, 1, 'a'}, false},
		{"a masked frame", []byte{0x82, 0x81, 0, 0, 0, 0, 'a'}, false},
		{"a Ping", data(9, "a"), false},
		{"a Close", data(8, "\x03\xe8"), false},
		{"a reserved opcode", data(3, "a"), false},
	} {
		var got []string
		var quiet atomic.Int32
		pos, goesOn := bursts(slices.Concat(two, test.next), frame{}, 1000, &quiet, func(m Message) bool {
			got = append(got, m.Type.String()+" "+m.String())
			return true
		})
		want, end := 2, len(two)
		if test.takes {
			want, end = 3, len(two)+len(test.next)
		}
		if len(got) != want || got[0] != "text é" || got[1] != "binary \xff" || pos != end || !goesOn {
			t.Errorf("%s: it took %q, stopped at %d and goes on %v; want %d messages and %d", test.name, got, pos, goesOn, want, end)
		}
	}
}

// A burst ends with the message at which attention is called for, or yield is done,
// and takes nothing in the middle of a message.
func TestBurstEndsAtOnce(t *testing.T) {
	three := []byte{0x82, 1, 'a', 0x82, 1, 'b', 0x82, 1, 'c'}
	var attention atomic.Int32
	taken := 0
	pos, goesOn := bursts(three, frame{}, 10, &attention, func(Message) bool { taken++; return taken < 2 })
	if taken != 2 || pos != 6 || goesOn {
		t.Errorf("yield ended the loop at the second message: %d came, it stopped at %d and goes on %v", taken, pos, goesOn)
	}
	taken = 0
	pos, goesOn = bursts(three, frame{}, 10, &attention, func(Message) bool { taken++; attention.Add(1); return true })
	if taken != 1 || pos != 3 || !goesOn {
		t.Errorf("attention was called for at the first message: %d came, it stopped at %d and goes on %v", taken, pos, goesOn)
	}
	attention.Store(0)
	pos, goesOn = bursts(three, frame{typ: Text}, 10, &attention, func(Message) bool { t.Error("a message came in another one"); return true })
	if pos != 0 || !goesOn {
		t.Errorf("in a message it stopped at %d and goes on %v", pos, goesOn)
	}
	pos, goesOn = bursts(three, frame{}, -1, &attention, func(Message) bool { t.Error("a message came that an operator wants"); return true })
	if pos != 0 || !goesOn {
		t.Errorf("with nothing to take it stopped at %d and goes on %v", pos, goesOn)
	}
}
