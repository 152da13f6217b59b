package jetstream

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// long asks for the tests with processes as they are run before a release, which
// takes minutes.
var long = flag.Bool("long", false, "kill, stop and set against each other for minutes in place of seconds")

// pick returns one of two values.
func pick[T any](short, withLong T) T {
	if *long {
		return withLong
	}
	return short
}

// tail returns the last lines of a text.
func tail(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role)
		return
	}
	goleak.VerifyTestMain(m)
}
