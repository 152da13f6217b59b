package heartbeat

import (
	"time"

	"github.com/wsflow/wsflow/stream"
)

// An RTT holds the round-trip times of a connection, each from the moment that
// a Ping of ours was queued until its Pong was read. It is a plain value; all
// of it is zero before the first measurement.
//
// Each Pong is measured from its own Ping, also where others are unanswered, for
// the last six Pings. What this side adds counts: data that was sent before the
// Ping, and up to one second in which nobody read from the connection. Where
// nobody read for longer, nothing is measured.
type RTT struct {
	Last     time.Duration
	Smoothed time.Duration // seven parts of what it was and one of each new one
	Min, Max time.Duration
	Count    uint64 // of measurements
}

// add takes in a measurement, smoothed as TCP does.
//
// https://www.rfc-editor.org/rfc/rfc6298.html#section-2
func (r *RTT) add(took time.Duration) {
	if r.Count == 0 {
		*r = RTT{Last: took, Smoothed: took, Min: took, Max: took, Count: 1}
		return
	}
	r.Last = took
	r.Smoothed += (took - r.Smoothed) / 8
	r.Min, r.Max = min(r.Min, took), max(r.Max, took)
	r.Count++
}

// A State shows the heartbeat of one connection. All methods may be called
// from many goroutines, also after the connection's end.
type State struct{ beat *beat }

// Of returns the state of the connection's heartbeat, and whether it has one.
func Of(c *stream.Conn) (*State, bool) {
	b, ok := stream.OperatorState[*beat](c)
	if !ok {
		return nil, false
	}
	return &State{b}, true
}

// RTT returns the round-trip times measured until now.
func (s *State) RTT() RTT {
	s.beat.mu.Lock()
	defer s.beat.mu.Unlock()
	return s.beat.rtt
}

// OnRTT calls f after each measurement, one call at a time, on the goroutine
// that reads from the connection: f must not block, nor wait for the
// connection. stop ends that; a call that has begun may still be running.
func (s *State) OnRTT(f func(RTT)) (stop func()) {
	return s.beat.listen(f)
}
