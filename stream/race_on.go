//go:build race

package stream

import "reflect"

const raceDetector = true

// checkNothing finds out whoever wrote to what all connections share.
func checkNothing() {
	if !reflect.DeepEqual(&nothing, new(intake)) {
		panic("wsflow: the intake that stands for none was written to")
	}
}
