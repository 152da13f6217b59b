package stream

import (
	"testing"
	"unsafe"
)

// A Conn and the word that the allocator adds to it fill a size class of 896 bytes: a
// word more takes 128 bytes of each connection.
func TestSizeOfAConn(t *testing.T) {
	if n := unsafe.Sizeof(Conn{}); n > 888 {
		t.Errorf("a Conn has %d bytes, want up to 888", n)
	}
}
