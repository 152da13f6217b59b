package stream_test

import (
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// A driving is how FuzzInbound takes bytes. Its bits choose one of everything.
type driving uint8

func (s driving) reference() reference {
	return reference{
		server: s&1 != 0,
		owned:  []byte{0, 4, 0, 1}[s>>1&3],
		all:    s>>1&3 == 2,
		whole:  s>>3&1 == 0,
		limit:  []int{-1, 9000, 20, 700_000}[s>>4&3],
	}
}

func (s driving) burst() bool { return s>>6&1 == 0 }
func (s driving) give() bool  { return s>>7&1 != 0 }

// steps returns steps of which each byte says one, over and over.
func steps(says []byte) func() stream.Step {
	sizes := [8]int{0, 1, 2, 3, 13, 200, 5000, 1 << 20}
	i, moved := 0, false
	return func() stream.Step {
		if i == len(says) {
			if !moved { // there must be an end
				return stream.Step{N: 1, Size: 4096, Least: 4096}
			}
			i, moved = 0, false
		}
		b := says[i]
		i++
		s := stream.Step{N: sizes[b&7], Ahead: b>>3&1 != 0, LetGo: b>>4&1 != 0, Size: 64 << (b >> 5 * 2)}
		s.Least = min(s.Size, 4096)
		moved = moved || s.N > 0
		return s
	}
}

// FuzzInbound lets bytes come to the consumer and to the look-ahead in any order.
// Messages, control frames and the breach are those of the reference, both cursors
// come to the same control frames, and no buffer is left out.
func FuzzInbound(f *testing.F) {
	for i, frames := range readerSeeds {
		for s := range 8 {
			how := driving(i*29 + s*37)
			var b []byte
			for _, frame := range frames {
				b = append(b, frame.Bytes(how.reference().server)...)
			}
			if len(b) > 1000 { // few bytes at a time would take long
				f.Add(b, uint8(how), []byte{0x05, 0x0e, 0x66})
				continue
			}
			f.Add(b, uint8(how), []byte{byte(i*31 + s), 0x0b, byte(s * 17), 0x62})
			f.Add(b, uint8(how), []byte{0x09})
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, how uint8, says []byte) {
		if len(b) > 16<<10 || len(b) > 2000 && len(says) < 3 {
			t.Skip("longer than anything needs")
		}
		s := driving(how)
		d := newDrive(s.reference(), b)
		d.burst, d.give = s.burst(), s.give()
		d.run(t, "steps", steps(says))
	})
}
