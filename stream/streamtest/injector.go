package streamtest

import (
	"fmt"

	"github.com/wsflow/wsflow/stream"
)

// An injector is an operator that sends a message of its own and a Ping before
// each message that passes. On the other side it takes every first message of
// two out again.
type injector struct{}

func (injector) Attach(link *stream.Link) (stream.Hooks, error) {
	i := &injections{link: link}
	return stream.Hooks{In: i.inbound, Out: i.outbound, State: i}, nil
}

// Injections are what an injector did in one connection.
type injections struct {
	link *stream.Link
	sent int // of the one who sends

	came int    // and the rest of the one who reads
	ours bool   // the message that is coming was injected
	part []byte // of it
	err  error  // the first message that was not the one expected
}

func injection(n int) []byte { return fmt.Appendf(nil, "injected message %d", n) }

func (i *injections) outbound(f stream.Frame) error {
	if f.First {
		p := injection(i.sent)
		if err := i.link.Down(stream.Frame{Type: stream.Text, First: true, Last: true, Payload: p}); err != nil {
			return err
		}
		i.sent++
		i.link.Control(stream.Ping, p) // may fail while a Close waits behind the message
	}
	return i.link.Down(f)
}

func (i *injections) inbound(f stream.Frame) (stream.Frame, bool, error) {
	if f.First {
		i.ours = !i.ours
	}
	if !i.ours {
		return f, false, nil
	}
	i.part = append(i.part, f.Payload...)
	if f.Last {
		if want := injection(i.came); i.err == nil && string(i.part) != string(want) {
			i.err = fmt.Errorf("%.40q came, not %q", i.part, want)
		}
		i.came++
		i.part = i.part[:0]
	}
	return stream.Frame{}, false, nil
}

// arrived checks that the peer took out what was injected.
func (i *injections) arrived(peer *injections) error {
	if peer.err != nil {
		return peer.err
	}
	if i.sent != peer.came {
		return fmt.Errorf("%d messages were injected, %d came", i.sent, peer.came)
	}
	return nil
}
