//go:build !race

package bufpool

func count(int64) {}

// Lent returns 0: it counts under the race detector alone.
func Lent() int64 { return 0 }

// Poison does nothing: it overwrites under the race detector alone.
func Poison([]byte) {}

func spoil(*Buffer) {}
