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
