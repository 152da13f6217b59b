package stream

import (
	"testing"
	"time"
)

// A lane looks often for room in a queue that was full for a short while, and
// seldom where a subscriber stands still.
func TestLooksForRoom(t *testing.T) {
	looks := 0
	for since, look := time.Duration(0), lookFirst; since < time.Hour; since, look = since+look, nextLook(look, since+look) {
		looks++
		if most := max(time.Millisecond, since/8); look > most || look > 100*time.Millisecond || look <= 0 {
			t.Fatalf("after %v it looks again in %v", since, look)
		}
	}
	if looks > 40_000 {
		t.Errorf("it looks %d times in an hour", looks)
	}
}
