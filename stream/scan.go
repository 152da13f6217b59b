package stream

import (
	"math"
	"sort"

	"github.com/wsflow/wsflow/internal/wire"
)

// scan moves the scan cursor to the next control frame that came whole, and
// returns its stream offset and its type; 0 while there is none. The payload is
// a copy in space. It looks at headers and at control frames alone, as the
// consumer may be unmasking the payload of a data frame meanwhile.
//
// What is no frame is an error: nothing behind it can be made out.
func (in *inbound) scan(space *[wire.MaxHeader + wire.MaxControl]byte) (at int64, t Type, payload []byte, err error) {
	for {
		h, n, err := in.scanHeader(space[:])
		if err != nil || n == 0 {
			return 0, 0, nil, err
		}
		at := in.scanned
		if h.Opcode < byte(Close) {
			if h.Fin {
				in.walked++
			}
			in.scanned = behind(at+int64(n), h.Length)
			continue
		}
		payload := in.peek(space[:h.Length], at+int64(n))
		if len(payload) < int(h.Length) {
			return 0, 0, nil, nil
		}
		if h.Masked {
			wire.Mask(payload, payload, h.Key)
		}
		in.scanned = at + int64(n) + h.Length
		return at, Type(h.Opcode), payload, nil
	}
}

// scanHeader returns the header at the scan cursor and its size, 0 while it is
// not all there.
func (in *inbound) scanHeader(space []byte) (h wire.Header, n int, err error) {
	p := in.peek(space[:2], in.scanned)
	if len(p) < 2 {
		return h, 0, nil
	}
	return in.parse(in.peek(space[:headerSize(p)], in.scanned))
}

// headerSize returns the size of the frame header that begins with p, as far as
// p tells: 2 bytes say it all.
func headerSize(p []byte) int {
	size := 2
	if len(p) < 2 {
		return size
	}
	switch p[1] & 0x7F {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if p[1]&0x80 != 0 {
		size += 4
	}
	return size
}

// peek copies bytes from the offset on, over the seams of the segments.
func (in *inbound) peek(dst []byte, offset int64) []byte {
	n := 0
	if in.own != nil {
		n = peekInto(dst, in.buf[:in.filled], offset-in.base)
	}
	for i := in.segmentOf(offset + int64(n)); n < len(dst) && i < len(in.behind); i++ {
		s := &in.behind[i]
		n += peekInto(dst[n:], s.own.Mem[:s.end], offset+int64(n)-s.base)
	}
	return dst[:n]
}

// segmentOf returns the index in behind of the segment in which an offset lies, or
// of one before it. There may be thousands, and a frame may have 2 bytes.
func (in *inbound) segmentOf(offset int64) int {
	after := sort.Search(len(in.behind), func(i int) bool { return in.behind[i].base > offset })
	return max(after-1, 0)
}

// peekInto copies what stands from an index on, if that lies within src.
func peekInto(dst, src []byte, from int64) int {
	if from < 0 || from >= int64(len(src)) {
		return 0
	}
	return copy(dst, src[from:])
}

// behind returns the offset that follows length bytes from an offset on. A
// length may be such that there is none: then it is the last one of all.
func behind(offset, length int64) int64 {
	if length > math.MaxInt64-offset {
		return math.MaxInt64
	}
	return offset + length
}
