//go:build race

package stream

// Lent returns the number of buffers that were taken and not given back.
func Lent() int64 { return lent.Load() }
