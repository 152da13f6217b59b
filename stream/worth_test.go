package stream

import "testing"

// A buffer that few small messages would keep is not given away with them, however
// large it is. The usual ones are, for 16 messages.
func TestBufferIsWorthItsMessages(t *testing.T) {
	for _, size := range []int{sharedMin, recordSize, readSize, 128 << 10, inPlace, sharedMax} {
		for n := range handMax + 1 {
			for bytes := 0; bytes <= size; bytes += size / 64 {
				if worth(n, bytes, size) && size > max(8*bytes, 8<<10*n) {
					t.Fatalf("%d messages of %d bytes keep a buffer of %d", n, bytes, size)
				}
			}
		}
		if usual := size <= 128<<10; worth(16, 32, size) != usual {
			t.Errorf("16 messages of 2 bytes keep a buffer of %d: %v", size, !usual)
		}
		if !worth(1, size/8, size) {
			t.Errorf("a message of an eighth of a buffer of %d does not keep it", size)
		}
	}
}
