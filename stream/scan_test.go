package stream

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// someFrames returns valid frames of all sizes, and many control frames.
func someFrames(r *rand.Rand, masked bool) (b []byte) {
	open := false
	for range 1 + r.IntN(30) {
		h := wire.Header{Fin: true, Opcode: byte(Ping) + byte(r.IntN(2)), Masked: masked, Key: r.Uint32()}
		n := r.IntN(126)
		if r.IntN(2) == 0 {
			h.Fin, h.Opcode = r.IntN(2) == 0, byte(Binary)
			if open {
				h.Opcode = 0
			}
			open = !h.Fin
			n = []int{0, 1, 125, 126, 300, 5000, 70_000}[r.IntN(7)]
		}
		h.Length = int64(n)
		b = wire.Append(b, h)
		for range n {
			b = append(b, byte(r.Uint32()))
		}
	}
	return b
}

// The scan cursor finds those control frames that the parse cursor comes to, at the
// same offsets: when it never runs, runs first over everything, or they take turns.
func TestScanFindsWhatTheParseCursorComesTo(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 6455))
		role := Role(seed % 2)
		b := someFrames(r, role == Server)
		controls := func(ahead func() bool) []Control {
			d := &Drive{Role: role, Limit: -1, Assemble: seed%3 == 0, Bytes: b, Next: func() Step {
				return Step{N: 1 + r.IntN(9000), Ahead: ahead(), Size: 64 << r.IntN(10), Least: 64}
			}}
			d.Run()
			if d.Fault != "" || d.Code != 0 {
				t.Fatalf("seed %d: %s, breach %d", seed, d.Fault, d.Code)
			}
			return d.Controls
		}
		parsed := controls(func() bool { return false })
		scanned := controls(func() bool { return true })
		mixed := controls(func() bool { return r.IntN(2) == 0 })
		if !slices.Equal(parsed, scanned) || !slices.Equal(parsed, mixed) {
			t.Fatalf("seed %d: the parse cursor came to %v\nthe scan cursor found %v\nin turns they found %v", seed, parsed, scanned, mixed)
		}
	}
}

// scannedIn returns an inbound to which the bytes came ahead, in segments.
func scannedIn(segments ...string) *inbound {
	in := &inbound{parsing: &idle}
	for _, s := range segments {
		n := copy(in.roomAhead(64), s)
		in.cameAhead(n)
		in.behind[len(in.behind)-1].own.Mem = in.behind[len(in.behind)-1].own.Mem[:in.behind[len(in.behind)-1].end] // full
	}
	return in
}

// A control frame is found once all of it came, over any seam, and no frame may
// follow one that cannot be.
func TestScanOverSeams(t *testing.T) {
	for _, test := range []struct {
		segments []string
		found    string
		at       int64
		walked   uint64
		fails    bool
	}{
		{nil, "", 0, 0, false},
		{[]string{"\x89"}, "", 0, 0, false},
		{[]string{"\x89\x02a"}, "", 0, 0, false},
		{[]string{"\x89\x02ab"}, "ab", 0, 0, false},
		{[]string{"\x89", "\x02", "a", "b"}, "ab", 0, 0, false},
		{[]string{"\x82\x03ab", "c\x89\x01", "d"}, "d", 5, 1, false},
		{[]string{"\x02\x01a\x80\x7e", "\x00\x7e" + strings.Repeat("x", 60), strings.Repeat("x", 64), "xx\x8a\x00"}, "", 133, 1, false},
		{[]string{"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "\x89\x00"}, "", 0, 1, false},
		{[]string{"\x82\x00\x83", "\x00"}, "", 0, 1, true},
		{[]string{"\x82\x00\x09", "\x00"}, "", 0, 1, true},
	} {
		in := scannedIn(test.segments...)
		var space [wire.MaxHeader + wire.MaxControl]byte
		at, typ, payload, err := in.scan(&space)
		if string(payload) != test.found || typ != 0 && at != test.at || (err != nil) != test.fails || in.walked != test.walked {
			t.Errorf("%q: %v %q at %d, %d messages passed, error %v; want %q at %d and %d messages",
				test.segments, typ, payload, at, in.walked, err, test.found, test.at, test.walked)
		}
		in.behind = nil // their memory was cut
	}
	for _, test := range []struct{ offset, length, want int64 }{
		{0, 5, 5}, {7, 0, 7}, {1, math.MaxInt64 - 1, math.MaxInt64}, {2, math.MaxInt64 - 1, math.MaxInt64}, {math.MaxInt64, 9, math.MaxInt64},
	} {
		if got := behind(test.offset, test.length); got != test.want {
			t.Errorf("behind(%d, %d) is %d, want %d", test.offset, test.length, got, test.want)
		}
	}
}
