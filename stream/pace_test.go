package stream

import "testing"

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
		if p.next() != test.next || p.least() != test.least {
			t.Errorf("%s: next %d, least %d; want %d and %d", test.name, p.next(), p.least(), test.next, test.least)
		}
	}
}
