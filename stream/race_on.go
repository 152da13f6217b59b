//go:build race

package stream

import "sync/atomic"

const raceDetector = true

// lent is the number of buffers that were taken and not given back.
var lent atomic.Int64

func borrowed(n int64) { lent.Add(n) }
