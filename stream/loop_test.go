package stream_test

import (
	"iter"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// firstOf returns what a loop is given first. There must be something.
func firstOf(t *testing.T, all iter.Seq2[stream.Message, error]) (stream.Message, error) {
	t.Helper()
	for m, err := range all {
		return m.Clone(), err
	}
	t.Fatal("the loop was given nothing")
	return stream.Message{}, nil
}

// whileAway calls f in the body of a loop over All, with the first message: the
// consumer is away meanwhile. There must be a message.
func whileAway(t *testing.T, c *stream.Conn, f func(stream.Message)) {
	t.Helper()
	for m, err := range c.All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		f(m)
		return
	}
	t.Fatal("no message came")
}
