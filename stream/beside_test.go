package stream

import "testing"

// A buffer that many small batches share has room for some of them alone.
func TestBufferHasRoomForFewBatches(t *testing.T) {
	var b beside
	room := 0
	for range 5000 {
		room += cap(b.batch(batchMax))
	}
	if room == 0 || room > batchRoom {
		t.Errorf("the buffer has room for %d messages in batches, want some, and at most %d", room, batchRoom)
	}
}
