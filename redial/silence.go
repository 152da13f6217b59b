package redial

import (
	"fmt"
	"time"

	"github.com/wsflow/wsflow/result"
)

// looks is how often a connection is looked at in the time of Options.Silent.
const looks = 4

// A silence is what is known of a connection on which messages must come.
type silence struct {
	came  uint64 // messages, at the last look
	quiet int    // looks since one has come
}

// look takes in how many messages have come by now. It reports whether none has come
// for too long.
func (w *silence) look(came uint64) bool {
	w.quiet++
	if came != w.came {
		w.came, w.quiet = came, 0
	}
	return w.quiet == looks
}

// watch begins to watch over the connection that is open, under mu.
func (s *Source) watch() {
	if s.opts.Silent == 0 {
		return
	}
	conn, w, each := s.conn, new(silence), max(s.opts.Silent/looks, 1)
	var timer *time.Timer
	timer = time.AfterFunc(each, func() {
		if w.look(s.came.Load()) {
			conn.Fail(&result.ConnectionFailed{Err: fmt.Errorf("no message for %v", s.opts.Silent)})
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.timer == timer {
			timer.Reset(each)
		}
	})
	s.timer = timer
}
