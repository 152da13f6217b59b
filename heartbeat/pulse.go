package heartbeat

import (
	"encoding/binary"
	"time"
)

// A pulse is what a heartbeat knows of one peer, and what follows from it. It
// does no I/O and reads no clock; times are counted from epoch.
//
// The timeout is spent in two parts: first the interval in which the peer was
// asked nothing, then, while a Ping has no answer, the time in which this side
// listened. Each proof of life starts it anew.
type pulse struct {
	op    *Operator
	begun bool // it has been woken

	proven time.Duration // the peer was alive then
	quiet  time.Duration // the last proof or Ping: the interval counts from here

	seq      uint64 // of the last Ping
	answered uint64 // of the last Ping that was answered, or need not be any more

	// While a Ping has no answer:
	sent      []moment      // when the last of such Pings were sent; nil while there is none
	silent    time.Duration // spent of the timeout
	due       time.Duration // when the next wake should be
	listened  time.Duration // the link's count at the last wake
	delivered int64         // the link's count at the last wake, up to start
	start     int64         // where the first such Ping begins, negative while it is not written
}

// remembered is how many Pings can be measured at a time. An answer to one
// before those proves the peer alive, but nobody knows how long it took.
const remembered = 6

// late is the time from which on a delay is this side's own: a wake that comes
// this much later than it should, and an answer that waited for as long.
const late = time.Second

// A moment is one on two clocks: that of the wall, and that of the time in which
// this side listens.
type moment struct{ at, listened time.Duration }

// A sight is what the link says of the connection.
type sight struct {
	listened  time.Duration // grows while this side reads or waits to read
	read      time.Duration // when the last bytes came
	delivered int64         // bytes that left for the peer
	ping      int64         // how many of them went before the last Ping; negative while it is not written
}

// epoch lets a moment be a third of a time.Time. Connections are many.
var epoch = time.Now()

func sinceEpoch(t time.Time) time.Duration { return t.Sub(epoch) }

// waiting reports whether a Ping has no answer: the listened time must be
// counted then.
func (p *pulse) waiting() bool { return p.answered < p.seq }

// wake decides what to do now: whether to send a Ping, and how long to sleep.
func (p *pulse) wake(now time.Duration, s sight) (ping bool, sleep time.Duration, err error) {
	switch {
	case !p.begun:
		p.begun, p.proven, p.quiet = true, now, now
	case p.op.anyFrame && s.read > p.proven:
		p.prove(s.read, p.seq)
		p.quiet = s.read
	case p.waiting():
		if err := p.wait(now, s); err != nil {
			return false, 0, err
		}
	}
	if ping = now-p.quiet >= p.op.interval; ping {
		p.ask(now, s)
	}
	sleep = p.op.interval - (now - p.quiet)
	if p.waiting() {
		sleep = min(sleep, max(p.op.timeout-p.silent, time.Millisecond))
	}
	p.due, p.listened = now+sleep, s.listened
	return ping, sleep, nil
}

// wait counts what was spent of the timeout since the last wake.
func (p *pulse) wait(now time.Duration, s sight) error {
	switch {
	case p.comesNearer(s):
		p.silent = 0
	case now-p.due > late:
		// The program did not run, as the machine was suspended or the process
		// stopped. What came meanwhile is still to be read.
	default:
		p.silent += s.listened - p.listened
	}
	if p.silent < p.op.timeout {
		return nil
	}
	return &silence{
		waited:   p.silent,
		pings:    p.seq - p.answered,
		frames:   s.read > p.sent[0].at,
		anyFrame: p.op.anyFrame,
	}
}

// comesNearer reports whether the first unanswered Ping has come nearer to the
// peer since the last wake. What went behind it does not count.
func (p *pulse) comesNearer(s sight) bool {
	if p.start < 0 {
		p.start = s.ping
	}
	delivered := s.delivered
	if p.start >= 0 {
		delivered = min(delivered, p.start)
	}
	nearer := delivered > p.delivered
	p.delivered = max(p.delivered, delivered)
	return nearer
}

// ask notes that a Ping goes out.
func (p *pulse) ask(now time.Duration, s sight) {
	if !p.waiting() {
		// A wake that comes late finds a peer that nobody has asked: that is
		// not the peer's silence.
		p.silent = min(now-p.proven, p.op.interval)
		p.delivered, p.start = s.delivered, -1
	}
	p.seq++
	if len(p.sent) == remembered {
		p.sent = p.sent[1:]
	}
	p.sent = append(p.sent, moment{now, s.listened})
	p.quiet = now
}

// payload returns what the last Ping carried.
func (p *pulse) payload() (b [8]byte) {
	binary.BigEndian.PutUint64(b[:], p.seq)
	return b
}

// answer takes in a Pong now, which was read at the given time. It reports
// whether it answers one of our Pings and took a time worth measuring. An answer
// may come late; those to the Pings before that one need not come any more.
//
// "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in
// response to previous Ping frame(s), the endpoint MAY elect to send a Pong
// frame for only the most recently processed Ping frame."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func (p *pulse) answer(payload []byte, now, read, listened time.Duration) (took time.Duration, measured bool) {
	if len(payload) != 8 {
		return 0, false
	}
	seq := binary.BigEndian.Uint64(payload)
	if seq <= p.answered || seq > p.seq {
		return 0, false
	}
	at := len(p.sent) - 1 - int(p.seq-seq)
	var sent moment
	if at >= 0 {
		sent = p.sent[at]
	}
	p.prove(read, seq)
	p.listened = listened
	waited := now - sent.at - (listened - sent.listened) // for this side
	return read - sent.at, at >= 0 && waited <= late
}

// prove takes in a sign of life, with which no Ping up to seq needs an answer.
func (p *pulse) prove(at time.Duration, seq uint64) {
	p.proven = max(p.proven, at)
	p.answered, p.silent, p.start = seq, 0, -1
	p.sent = p.sent[max(0, len(p.sent)-int(p.seq-seq)):]
	if len(p.sent) == 0 {
		p.sent = nil // as it is most of the time, and connections are many
	}
}
