package stream_test

import (
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// What a panic of a callback leaves behind leads to the line that panicked, and
// does not show its value, which may hold what the peer sent.
func TestCallbackPanicLogsStack(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		logger, seen := logs()
		p := script.Client(t, &stream.Options{Logger: logger})
		p.Conn.OnText(func(text string) { stumble(text) })
		p.Sends(script.Text("secret"))
		p.Conn.Result().Wait(ctx)
		all := seen.FilterMessage("a callback panicked").All()
		if len(all) != 1 {
			t.Fatalf("it is logged %d times", len(all))
		}
		stack, _ := all[0].ContextMap()["stack"].(string)
		if !strings.Contains(stack, "stumble") || strings.Contains(stack, "secret") {
			t.Errorf("the stack is %q", stack)
		}
		p.WantsClose(1011)
	})
}

func stumble(text string) { panic(text) }
