//go:build race

package stream

import (
	"reflect"
	"sync/atomic"
)

const raceDetector = true

// lent is the number of buffers that were taken and not given back.
var lent atomic.Int64

func borrowed(n int64) { lent.Add(n) }

// checkNothing finds out whoever wrote to what all connections share.
func checkNothing() {
	if !reflect.DeepEqual(&nothing, new(intake)) {
		panic("wsflow: the intake that stands for none was written to")
	}
}
