package redial

import (
	"fmt"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// looks is how often a connection is looked at in the time of Options.DataTimeout.
const looks = 4

// A silence is what is known of a connection on which messages must come.
type silence struct {
	data  int64 // bytes that had come at the last look, beside control frames
	quiet int   // looks since any have
}

// look takes in what has come by now. It reports whether no data has for too long,
// although this side would have read it.
func (w *silence) look(now stream.Stats) bool {
	w.quiet++
	data := now.BytesIn - now.ControlBytesIn
	if data > w.data || now.Held {
		w.quiet = 0
	}
	w.data = data // less where a control frame had come that is dealt with by now
	return w.quiet == looks
}

// watch begins to watch over the connection that is open, under mu.
func (s *Source) watch() {
	if s.opts.DataTimeout == 0 {
		return
	}
	conn, w, each := s.conn, new(silence), max(s.opts.DataTimeout/looks, 1)
	var timer *time.Timer
	timer = time.AfterFunc(each, func() {
		if w.look(conn.Stats()) {
			conn.Fail(&result.ConnectionFailed{Err: fmt.Errorf("no message for %v", s.opts.DataTimeout)})
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
