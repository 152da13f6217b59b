package check

import "github.com/wsflow/wsflow/result"

// SinkBuffer returns the capacity of the channel of a Sink, whose option is n: up to
// 16,777,216 messages, 512 for 0, none if it is negative.
func SinkBuffer(n int) (int, error) {
	const most = 1 << 24 // the memory is taken at once
	switch {
	case n > most:
		return 0, &result.ArgumentError{Name: "stream.SinkOptions.Buffer", Value: n, Allowed: "up to 16777216, 0 for 512, or negative for none"}
	case n == 0:
		return 512, nil
	}
	return max(n, 0), nil
}
