package stream

import (
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// Of large frames several are read at once for those who keep messages, as many as
// come to about 256 KiB, while they come one behind the other.
func TestPaceOfSeveral(t *testing.T) {
	for size, many := range map[int]int{64 << 10: 4, 100 << 10: 2} {
		frame := size + wire.MaxHeader
		one, several := frame+leastRoom, many*frame+leastRoom
		p := pace{plain: true}
		for _, test := range []struct{ asked, got, next int }{
			{size, size, several},         // all that was asked for
			{several, several, several},   // again
			{several, frame + 1, several}, // more than a frame
			{several, frame, one},         // a frame alone
			{one, one, several},           // a frame, and more behind it
			{one, frame, one},
		} {
			p.read(size, size, test.asked, test.got)
			if got := p.next(true); got != test.next {
				t.Errorf("frames of %d: after %d of %d bytes the next buffer has %d, want %d", size, test.got, test.asked, got, test.next)
			}
		}
	}
	for _, size := range []int{150 << 10, 500 << 10} {
		p := pace{plain: true}
		p.read(size, size, size, size)
		if got, want := p.next(true), size+wire.MaxHeader+leastRoom; got != want {
			t.Errorf("frames of %d: the next buffer has %d bytes, want %d", size, got, want)
		}
	}
	for _, p := range []pace{{plain: true}, {plain: true, size: readSize, rich: true}, {rich: true}, {size: 5 * readSize, rich: true}} {
		if got, want := p.next(true), p.next(false); got != want {
			t.Errorf("%+v: the next buffer has %d bytes, want %d", p, got, want)
		}
	}
}

func TestPace(t *testing.T) {
	type read struct{ want, have, asked, got int }
	const large = 64 << 10
	tests := []struct {
		name        string
		plain       bool
		reads       []read
		next, least int
	}{
		{"a plain socket at first", true, nil, readSize, leastRoom},
		{"a plain socket with little", true, []read{{2, 1, readSize, 1}}, readSize, leastRoom},
		{"a plain socket with much", true, []read{{2, 2, readSize, readSize}}, readSize, leastRoom},
		{"a plain socket with a large frame", true, []read{{2, 2, readSize, readSize}, {large, large, 1000, 1000}}, large + 14 + leastRoom, leastRoom},
		{"a plain socket with half of a large frame", true, []read{{2, 2, readSize, readSize}, {4 * large, 2 * large, large, large}}, 4*large + 14 + leastRoom, leastRoom},
		{"a plain socket with little of a large frame", true, []read{{2, 2, readSize, 2}, {4 * large, 100, large, 98}}, readSize, leastRoom},
		{"a plain socket with little of a large frame behind a larger one", true, []read{{8 * large, 8 * large, 1000, 1000}, {2, 2, readSize, readSize}, {4 * large, 100, large, 98}}, 4*large + 14 + leastRoom, leastRoom},
		{"a plain socket between large frames", true, []read{{large, large, 1000, 1000}, {2, 100, readSize, 100}}, large + 14 + leastRoom, leastRoom},
		{"a plain socket with much behind large frames", true, []read{{large, large, 1000, 1000}, {2, 2, readSize, readSize}}, readSize, leastRoom},
		{"a plain socket with a huge frame", true, []read{{2, 2, readSize, readSize}, {inPlace + 1, inPlace + 1, 1000, 1000}}, readSize, leastRoom},
		{"anything else at first", false, nil, leastRoom, leastRoom},
		{"anything else with little", false, []read{{2, 2, recordSize, recordSize}, {2, 100, recordSize, 100}}, leastRoom, leastRoom},
		{"anything else with much", false, []read{{2, 2, leastRoom, leastRoom}}, recordSize, recordMax},
		{"anything else with a record less what it had", false, []read{{2, 2, leastRoom, leastRoom}, {2, 2, recordSize, recordMax - leastRoom}}, recordSize, recordMax},
		{"anything else with a large frame", false, []read{{2, 2, leastRoom, leastRoom}, {large, large, large, recordMax}}, large + 14 + recordMax, recordMax},
	}
	for _, test := range tests {
		p := pace{plain: test.plain}
		for _, r := range test.reads {
			p.read(r.want, r.have, r.asked, r.got)
		}
		if p.next(false) != test.next || p.least() != test.least {
			t.Errorf("%s: next %d, least %d; want %d and %d", test.name, p.next(false), p.least(), test.next, test.least)
		}
	}
}
