package heartbeat

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A pulse is what a heartbeat knows of one peer, and what follows from it. It
// does no I/O and reads no clock.
type pulse struct {
	op *Operator

	proven time.Time // the peer was alive then: the timeout counts from here
	quiet  time.Time // the last proof or Ping: the interval counts from here
	sent   time.Time // when the last Ping was sent
	seq    uint64    // what the last Ping carried

	waiting bool // for the answer to the last Ping
	repeat  bool // that answer may never come: send the Ping again at the next wake
	unclear bool // how long that answer takes says nothing about the network
}

// wake decides what to do now: whether to send a Ping, and how long to sleep.
// held and read are what the link says of its reading.
func (p *pulse) wake(now time.Time, held bool, read time.Time) (ping bool, sleep time.Duration, err error) {
	switch {
	case p.proven.IsZero():
		p.proven, p.quiet = now, now
	case held:
		p.proven, p.quiet, p.unclear = now, now, true
	case p.op.anyFrame && read.After(p.proven):
		p.proven, p.quiet = read, read
	}
	if p.waiting && now.Sub(p.proven) >= p.op.timeout {
		return false, 0, p.silent(now)
	}
	sleep = p.op.interval - now.Sub(p.quiet)
	if sleep <= 0 {
		if ping = !p.waiting || p.repeat; ping {
			p.ask(now)
		}
		sleep = p.op.interval
	}
	return ping, min(sleep, p.op.timeout-now.Sub(p.proven)), nil
}

// ask notes that a Ping goes out: the last one again if it was not answered.
func (p *pulse) ask(now time.Time) {
	if !p.waiting {
		p.seq++
		// A wake that comes late, as after the machine was suspended, finds a
		// peer that nobody has asked: that is not the peer's silence.
		if asked := now.Add(-p.op.interval); p.proven.Before(asked) {
			p.proven = asked
		}
	}
	p.waiting, p.repeat, p.unclear = true, false, p.waiting
	p.quiet, p.sent = now, now
}

// payload returns what the last Ping carried.
func (p *pulse) payload() (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], p.seq)
	return b
}

// answer takes in a Pong that was read at the given time. It reports whether
// it answers our Ping and took a time worth measuring.
func (p *pulse) answer(payload []byte, read time.Time) (took time.Duration, measured bool) {
	if !p.waiting {
		return 0, false
	}
	if want := p.payload(); string(payload) != string(want[:]) {
		// "If an endpoint receives a Ping frame and has not yet sent Pong
		// frame(s) in response to previous Ping frame(s), the endpoint MAY
		// elect to send a Pong frame for only the most recently processed
		// Ping frame." So this Pong may answer another operator's Ping and
		// stand for ours too.
		//
		// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
		p.repeat = true
		return 0, false
	}
	p.waiting = false
	if read.After(p.proven) {
		p.proven = read
	}
	return read.Sub(p.sent), !p.unclear
}

func (p *pulse) silent(now time.Time) error {
	return &silence{waited: now.Sub(p.proven), asked: now.Sub(p.sent), anyFrame: p.op.anyFrame}
}

// A silence is the error that ends the connection of a peer that gave no sign
// of life. It is a net.Error.
type silence struct {
	waited   time.Duration
	asked    time.Duration // since the last Ping
	anyFrame bool
}

func (s *silence) Error() string {
	what := "a Pong"
	if s.anyFrame {
		what = "any frame"
	}
	return fmt.Sprintf("heartbeat: waited %v for %s, %v of it after the last Ping",
		s.waited.Round(time.Millisecond), what, s.asked.Round(time.Millisecond))
}

func (s *silence) Timeout() bool   { return true }
func (s *silence) Temporary() bool { return false }
