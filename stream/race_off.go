//go:build !race

package stream

const raceDetector = false

func borrowed(int64) {}

func checkNothing() {}
