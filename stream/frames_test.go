package stream

import (
	"bytes"
	"slices"
	"testing"
)

// Memory grows by doubling: adding to it in fragments moves it a few times, not
// with each.
func TestFramesGrowByDoubling(t *testing.T) {
	var f frames
	defer func() { f.free() }()
	moves := 0
	for range 1024 {
		before := f.own
		f.add(make([]byte, 16<<10))
		if f.own != before {
			moves++
		}
	}
	if moves > 15 {
		t.Errorf("16 MiB in 1024 fragments were moved %d times", moves)
	}
	if f.n != 16<<20 || len(f.ends) != 1024 {
		t.Errorf("%d bytes with %d ends", f.n, len(f.ends))
	}
}

// The ends of small frames are forgotten, but for one in a few KiB, and never the
// last.
func TestFramesRememberEnds(t *testing.T) {
	tests := []struct {
		name  string
		sizes []int
		ends  []int
	}{
		{"one", []int{10}, []int{10}},
		{"small ones", []int{10, 20, 30}, []int{60}},
		{"up to the distance", []int{endsApart - 1, 1, 1}, []int{endsApart, endsApart + 1}},
		{"large ones", []int{5000, 5000, 5000}, []int{5000, 10000, 15000}},
		{"a large one between small ones", []int{10, 10, 9000, 10, 10}, []int{20, 9020, 9040}},
		{"small ones up to the next distance", slices.Repeat([]int{1000}, 10), []int{4000, 8000, 10000}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var f frames
			defer func() { f.free() }()
			for _, n := range test.sizes {
				f.add(make([]byte, n))
			}
			if !slices.Equal(f.ends, test.ends) {
				t.Errorf("the ends are %v, want %v", f.ends, test.ends)
			}
		})
	}
}

// A piece ends where a frame does, and what was written is between frames only
// there.
func TestFramesPieces(t *testing.T) {
	var f frames
	all := make([]byte, 0, 15000)
	for i := range 3 {
		frame := bytes.Repeat([]byte{byte('a' + i)}, 5000)
		f.add(frame)
		all = append(all, frame...)
	}
	steps := []struct {
		most, from, to int // what is asked for, and what comes
		take           int
		between        bool // afterwards
	}{
		{1, 0, 5000, 3, false},
		{1, 3, 5000, 4000, false},
		{5000, 4003, 10000, 997, true},
		{5001, 5000, 15000, 0, true},
		{1, 5000, 10000, 5000, true},
		{1 << 20, 10000, 15000, 4999, false},
		{1, 14999, 15000, 1, true},
	}
	for i, s := range steps {
		if got := f.piece(s.most); !bytes.Equal(got, all[s.from:s.to]) {
			t.Fatalf("step %d: %d bytes, want those from %d to %d", i, len(got), s.from, s.to)
		}
		if f.take(s.take); f.between() != s.between {
			t.Errorf("step %d: between is %v", i, !s.between)
		}
	}
	if f.own != nil || f.n != 0 {
		t.Errorf("all was written, and %d bytes are held", f.n)
	}
}
