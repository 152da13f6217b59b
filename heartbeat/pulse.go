package heartbeat

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A pulse is what a heartbeat knows of one peer, and what follows from it. It
// does no I/O and reads no clock; times are counted from epoch.
type pulse struct {
	op *Operator

	proven time.Duration // the peer was alive then: the timeout counts from here
	quiet  time.Duration // the last proof or Ping: the interval counts from here
	sent   time.Duration // when the last Ping was sent
	seq    uint64        // what the last Ping carried

	begun   bool // it has been woken
	waiting bool // for the answer to the last Ping
	repeat  bool // that answer may never come: send the Ping again at the next wake
	unclear bool // how long that answer takes says nothing about the network
}

// epoch lets a moment be a third of a time.Time. Connections are many.
var epoch = time.Now()

func sinceEpoch(t time.Time) time.Duration { return t.Sub(epoch) }

// wake decides what to do now: whether to send a Ping, and how long to sleep.
// held and read are what the link says of its reading.
func (p *pulse) wake(now time.Duration, held bool, read time.Duration) (ping bool, sleep time.Duration, err error) {
	switch {
	case !p.begun:
		p.begun, p.proven, p.quiet = true, now, now
	case held:
		p.proven, p.quiet, p.unclear = now, now, true
	case p.op.anyFrame && read > p.proven:
		p.proven, p.quiet = read, read
	}
	if p.waiting && now-p.proven >= p.op.timeout {
		return false, 0, p.silent(now)
	}
	sleep = p.op.interval - (now - p.quiet)
	if sleep <= 0 {
		if ping = !p.waiting || p.repeat; ping {
			p.ask(now)
		}
		sleep = p.op.interval
	}
	return ping, min(sleep, p.op.timeout-(now-p.proven)), nil
}

// ask notes that a Ping goes out: the last one again if it was not answered.
func (p *pulse) ask(now time.Duration) {
	if !p.waiting {
		p.seq++
		// A wake that comes late, as after the machine was suspended, finds a
		// peer that nobody has asked: that is not the peer's silence.
		p.proven = max(p.proven, now-p.op.interval)
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
func (p *pulse) answer(payload []byte, read time.Duration) (took time.Duration, measured bool) {
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
	p.proven = max(p.proven, read)
	return read - p.sent, !p.unclear
}

func (p *pulse) silent(now time.Duration) error {
	return &silence{waited: now - p.proven, asked: now - p.sent, anyFrame: p.op.anyFrame}
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
