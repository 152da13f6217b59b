//go:build race

package stream

import "reflect"

const raceDetector = true

// checkIdle finds out whoever wrote to what all connections share.
func checkIdle() {
	if !reflect.DeepEqual(&idle, new(parsing)) {
		panic("wsflow: the parsing that stands for none was written to")
	}
}
