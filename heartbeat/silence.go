package heartbeat

import (
	"fmt"
	"time"
)

// A silence is the error that ends the connection of a peer that gave no sign
// of life. It is a net.Error.
type silence struct {
	waited   time.Duration
	pings    uint64 // that have no answer
	frames   bool   // something else came meanwhile
	anyFrame bool   // it would have counted
}

func (s *silence) Error() string {
	what, hint := "a Pong", ""
	if s.anyFrame {
		what = "any frame"
	} else if s.frames {
		hint = "; other frames came: heartbeat.Options.AnyFrame lets them count"
	}
	return fmt.Sprintf("heartbeat: waited %v for %s (Pings sent: %d)%s", s.waited.Round(time.Millisecond), what, s.pings, hint)
}

func (s *silence) Timeout() bool   { return true }
func (s *silence) Temporary() bool { return false }
