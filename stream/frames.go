package stream

import "github.com/wsflow/wsflow/internal/bufpool"

const (
	framesLeast = 4 << 10 // bytes that are borrowed at least
	endsApart   = 4 << 10 // how far apart the ends of frames are that are remembered
)

// frames is encoded frames in borrowed memory, and where they end.
type frames struct {
	own  *bufpool.Buffer
	n    int   // bytes
	from int   // bytes of n that were written
	ends []int // where frames end; the last is n
	past int   // ends that were written
}

// extend returns room for n bytes behind those that are there.
func (f *frames) extend(n, least int) []byte {
	if f.own == nil {
		f.own = bufpool.Get(max(n, least, framesLeast))
	}
	if f.n+n > len(f.own.Mem) {
		own := bufpool.Get(max(f.n+n, 2*len(f.own.Mem)))
		copy(own.Mem, f.own.Mem[:f.n])
		f.own.Free()
		f.own = own
	}
	return f.own.Mem[f.n : f.n+n]
}

// add appends a frame.
func (f *frames) add(frame []byte) {
	if len(frame) == 0 {
		return
	}
	copy(f.extend(len(frame), 0), frame)
	f.n += len(frame)
	f.ended()
}

// ended remembers that a frame ends at n. Where frames are small, the ends between
// are forgotten.
func (f *frames) ended() {
	before := 0
	if k := len(f.ends); k > 1 {
		before = f.ends[k-2]
	}
	if k := len(f.ends); k > 0 && f.n-before <= endsApart {
		f.ends[k-1] = f.n
		return
	}
	f.ends = append(f.ends, f.n)
}

// between reports whether what was written ends where a frame does.
func (f *frames) between() bool {
	return f.from == 0 || f.past > 0 && f.ends[f.past-1] == f.from
}

// piece returns what is to be written next: up to the first end that is most bytes
// away or more, or else all.
func (f *frames) piece(most int) []byte {
	at := f.past
	for at < len(f.ends)-1 && f.ends[at]-f.from < most {
		at++
	}
	return f.own.Mem[f.from:f.ends[at]]
}

// take counts n more bytes as written. When all are, the memory is given back.
func (f *frames) take(n int) {
	f.from += n
	for f.past < len(f.ends) && f.ends[f.past] <= f.from {
		f.past++
	}
	if f.from == f.n {
		f.free()
	}
}

func (f *frames) free() {
	f.own.Free()
	*f = frames{ends: f.ends[:0]}
}
