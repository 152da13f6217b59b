package heartbeat

import (
	"slices"
	"sync"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// A beat is one connection's heartbeat: its pulse, tied to its link.
type beat struct {
	link *stream.Link

	mu        sync.Mutex // of the link, only what counts is called under it
	pulse     pulse
	rtt       RTT
	listeners *[]*func(RTT) // replaced, never changed in place; nil while there are none
}

// wake is the hook that the connection's timer calls.
func (b *beat) wake(now time.Time) (time.Duration, error) {
	see := sight{read: sinceEpoch(b.link.LastRead())}
	b.mu.Lock()
	begun := b.pulse.begun
	b.mu.Unlock()
	if begun { // no Ping is due before
		see.delivered, see.ping = b.link.Delivered()
	}
	b.mu.Lock()
	see.listened = b.link.Listened()
	ping, sleep, err := b.pulse.wake(sinceEpoch(now), see)
	b.link.CountListened(b.pulse.waiting())
	payload := b.pulse.payload()
	b.mu.Unlock()
	if err == nil && ping {
		// Where it fails the peer takes nothing: it is as if no answer came.
		b.link.Control(stream.Ping, payload[:])
	}
	return sleep, err
}

// answered takes in a Pong and reports whether it told how long it took.
func (b *beat) answered(payload []byte) (measured bool) {
	now, read := sinceEpoch(time.Now()), sinceEpoch(b.link.LastRead())
	b.mu.Lock()
	defer b.mu.Unlock()
	listened := b.link.Listened()
	took, measured := b.pulse.answer(payload, now, read, listened)
	b.link.CountListened(b.pulse.waiting())
	if measured {
		b.rtt.add(took)
	}
	return measured
}

// tell calls the listeners.
func (b *beat) tell() {
	b.mu.Lock()
	rtt, listeners := b.rtt, b.listeners
	b.mu.Unlock()
	if listeners == nil {
		return
	}
	for _, f := range *listeners {
		(*f)(rtt)
	}
}

// listen adds a listener and returns what takes it away again.
func (b *beat) listen(f func(RTT)) (stop func()) {
	b.change(func(all []*func(RTT)) []*func(RTT) { return append(all, &f) })
	return func() {
		b.change(func(all []*func(RTT)) []*func(RTT) {
			return slices.DeleteFunc(all, func(g *func(RTT)) bool { return g == &f })
		})
	}
}

// change replaces the listeners by what is made of a copy of them.
func (b *beat) change(to func([]*func(RTT)) []*func(RTT)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*func(RTT)
	if b.listeners != nil {
		all = slices.Clone(*b.listeners)
	}
	all = to(all)
	b.listeners = &all
}
