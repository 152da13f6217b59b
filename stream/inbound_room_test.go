package stream

import "testing"

// A peer that sends byte by byte while the consumer is away makes the look-ahead
// hold little more than these bytes, whatever one read asks for.
func TestRoomAheadOfSingleBytes(t *testing.T) {
	for _, size := range []int{leastRoom, recordSize, readSize} {
		in := &inbound{parsing: &idle}
		const came = 256 << 10
		for range came {
			in.roomAhead(size)[0] = 0
			in.cameAhead(1)
		}
		held := 0
		for _, s := range in.behind {
			held += len(s.own.Mem)
		}
		if most := 2*came + readSize; held > most {
			t.Errorf("%d bytes that came one by one to reads of %d take %d, want at most %d", came, size, held, most)
		}
		in.clear()
	}
}

// The segments of a large frame are joined at once, and what has not come of it
// takes no memory.
func TestJoinOfManySegments(t *testing.T) {
	const came, want = 40 << 10, inPlace
	in := &inbound{parsing: &idle}
	for i := range came {
		in.roomAhead(leastRoom)[0] = byte(i >> 8)
		in.cameAhead(1)
	}
	in.advance(2) // to the first segment
	in.advance(want)
	if len(in.behind) > 0 {
		t.Errorf("%d segments stay behind the joined one", len(in.behind))
	}
	if n := len(in.own.Mem); n > 2*came {
		t.Errorf("%d bytes that came are joined in %d", came, n)
	}
	joined := in.buf[in.pos:in.end]
	if len(joined) != came {
		t.Fatalf("%d bytes are joined, want %d", len(joined), came)
	}
	for i, c := range joined {
		if c != byte(i>>8) {
			t.Fatalf("byte %d of the joined ones is %d, want %d", i, c, byte(i>>8))
		}
	}
	in.clear()
}
