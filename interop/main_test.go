package interop

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if testing.Verbose() && len(found.rows) > 0 {
		found.print()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

var update = flag.Bool("update", false, "write what was found into docs/interop.md")

// patience is longer than anything here takes. Only what has gone wrong waits
// for so long.
const patience = 30 * time.Second

// within waits for the channel to close or to give something, and returns
// false if it does not.
func within[T any](t *testing.T, c <-chan T) bool {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}
