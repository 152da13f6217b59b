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
	listeners []*func(RTT) // extended or replaced, never changed in place
}

// wake is the tap that the connection's timer calls.
func (b *beat) wake(now time.Time) (time.Duration, error) {
	held, read := b.link.Held(), b.link.LastRead()
	b.mu.Lock()
	ping, sleep, err := b.pulse.wake(now, held, read)
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

// control is the tap that sees what comes.
func (b *beat) control(f stream.Frame) error {
	if f.Type != stream.Pong {
		return nil
	}
	read := b.link.LastRead()
	b.mu.Lock()
	took, measured := b.pulse.answer(f.Payload, read)
	if measured {
		b.rtt.add(took)
	}
	rtt, listeners := b.rtt, b.listeners
	b.mu.Unlock()
	if measured {
		for _, f := range listeners {
			(*f)(rtt)
		}
	}
	return nil
}

// listen adds a listener and returns what takes it away again.
func (b *beat) listen(f func(RTT)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listeners = append(b.listeners, &f)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.listeners = slices.DeleteFunc(slices.Clone(b.listeners), func(g *func(RTT)) bool { return g == &f })
	}
}
