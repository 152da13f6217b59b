package heartbeat_test

import (
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// whileAway calls f in the body of a loop over All, with the first message at
// hand. There must be one.
func whileAway(t *testing.T, c *stream.Conn, f func()) {
	t.Helper()
	for _, err := range c.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		f()
		return
	}
	t.Fatal("no message came")
}
