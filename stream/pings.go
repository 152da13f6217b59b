package stream

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// pings are the Pings that the program waits for. It does no I/O, takes no lock
// and reads no clock.
type pings struct {
	last    uint64  // the number of the last Ping
	waiting []*ping // in the order in which they were sent
}

// A ping waits for its Pong.
type ping struct {
	number   uint64
	sent     time.Duration
	answered chan struct{} // closed once the Pong has come
	took     time.Duration // until then; set before
}

// pingMark begins the payload of each Ping, before its number. No Ping of the
// heartbeat has this length.
const pingMark = "wsflow"

func pingPayload(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(pingMark), number)
}

// add notes that the next Ping was queued.
func (p *pings) add(at time.Duration) *ping {
	p.last++
	one := &ping{number: p.last, sent: at, answered: make(chan struct{})}
	p.waiting = append(p.waiting, one)
	return one
}

// drop forgets a Ping.
func (p *pings) drop(one *ping) {
	p.waiting = slices.DeleteFunc(p.waiting, func(w *ping) bool { return w == one })
}

// answer takes in a Pong that was read at the given time. It ends its Ping and
// those before. What answers no Ping that waits, or was read before it was sent,
// changes nothing: "A Pong frame MAY be sent unsolicited."
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5.3
func (p *pings) answer(payload []byte, read time.Duration) {
	number, ok := strings.CutPrefix(string(payload), pingMark)
	if !ok || len(number) != 8 {
		return
	}
	n := binary.BigEndian.Uint64([]byte(number))
	if n > p.last {
		return
	}
	p.waiting = slices.DeleteFunc(p.waiting, func(w *ping) bool {
		if w.number > n || w.sent > read {
			return false
		}
		w.took = read - w.sent
		close(w.answered)
		return true
	})
}
