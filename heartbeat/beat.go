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

	mu        sync.Mutex // never held while the link is called
	pulse     pulse
	rtt       RTT
	listeners *[]*func(RTT) // replaced, never changed in place; nil while there are none
}

// wake is the tap that the connection's timer calls.
func (b *beat) wake(now time.Time) (time.Duration, error) {
	held, read := b.link.Held(), sinceEpoch(b.link.LastRead())
	b.mu.Lock()
	ping, sleep, err := b.pulse.wake(sinceEpoch(now), held, read)
	payload := b.pulse.payload()
	b.mu.Unlock()
	if err != nil || !ping {
		return sleep, err
	}
	if b.link.Control(stream.Ping, payload[:]) != nil {
		// The peer takes nothing. The timeout runs; try again.
		b.mu.Lock()
		b.pulse.repeat = true
		b.mu.Unlock()
	}
	return sleep, nil
}

// answered takes in a Pong and reports whether it told how long it took.
func (b *beat) answered(payload []byte) (measured bool) {
	read := sinceEpoch(b.link.LastRead())
	b.mu.Lock()
	defer b.mu.Unlock()
	took, measured := b.pulse.answer(payload, read)
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
