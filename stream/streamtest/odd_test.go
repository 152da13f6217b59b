package streamtest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/wsflow/wsflow/stream"
)

// An odd is an operator that breaks a rule of stream.Operator. It is the
// function that makes its hooks.
type odd func(*stream.Link) stream.Hooks

func (o odd) Attach(link *stream.Link) (stream.Hooks, error) { return o(link), nil }

func spoil(p []byte) {
	if len(p) > 0 {
		p[0]++
	}
}

// changesIn changes what it was given after copying it.
func changesIn(*stream.Link) stream.Hooks {
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		given := f.Payload
		f.Payload = bytes.Clone(given)
		spoil(given)
		return f, false, nil
	}}
}

func changesOut(l *stream.Link) stream.Hooks {
	return stream.Hooks{Out: func(f stream.Frame) error {
		err := l.Down(f)
		spoil(f.Payload)
		return err
	}}
}

func changesControl(*stream.Link) stream.Hooks {
	return stream.Hooks{Control: func(f stream.Frame) error {
		spoil(f.Payload)
		return nil
	}}
}

// keepsIn hands on no piece before the message is complete.
func keepsIn(*stream.Link) stream.Hooks {
	var kept []stream.Frame
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		if f.Type != 0 {
			kept = append(kept, f)
		}
		if !kept[len(kept)-1].Last {
			return stream.Frame{}, false, nil
		}
		f, kept = kept[0], kept[1:]
		return f, len(kept) > 0, nil
	}}
}

// keepsOut does the same on the way out.
func keepsOut(l *stream.Link) stream.Hooks {
	var kept []stream.Frame
	return stream.Hooks{Out: func(f stream.Frame) error {
		kept = append(kept, f)
		for f.Last && len(kept) > 0 {
			if err := l.Down(kept[0]); err != nil {
				return err
			}
			kept = kept[1:]
		}
		return nil
	}}
}

// drops loses the tenth message.
func drops(l *stream.Link) stream.Hooks {
	n := 0
	return stream.Hooks{Out: func(f stream.Frame) error {
		if f.First {
			n++
		}
		if n == 10 {
			return nil
		}
		return l.Down(f)
	}}
}

func repeats(l *stream.Link) stream.Hooks {
	return stream.Hooks{Out: func(f stream.Frame) error {
		if f.First && f.Last {
			if err := l.Down(f); err != nil {
				return err
			}
		}
		return l.Down(f)
	}}
}

// adds sends a message of its own after the n-th.
func adds(after int) odd {
	return func(l *stream.Link) stream.Hooks {
		n := 0
		return stream.Hooks{Out: func(f stream.Frame) error {
			if err := l.Down(f); err != nil || !f.Last {
				return err
			}
			if n++; n == after {
				return l.Down(stream.Frame{Type: stream.Text, First: true, Last: true})
			}
			return nil
		}}
	}
}

// swaps holds a whole message until the next one that begins as it does has
// gone.
func swaps(l *stream.Link) stream.Hooks {
	var held *stream.Frame
	return stream.Hooks{Out: func(f stream.Frame) error {
		if held == nil && f.First && f.Last {
			f.Payload = bytes.Clone(f.Payload)
			held = &f
			return nil
		}
		if err := l.Down(f); err != nil || held == nil || !f.First || !bytes.HasPrefix(f.Payload, held.Payload[:4]) {
			return err
		}
		f, held = *held, nil
		return l.Down(f)
	}}
}

func makesBinary(*stream.Link) stream.Hooks {
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		f.Type = stream.Binary
		return f, false, nil
	}}
}

// cutsLarge lets no message be longer than one byte under 1 MiB.
func cutsLarge(*stream.Link) stream.Hooks {
	left := 0
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		if f.First {
			left = 1<<20 - 1
		}
		f.Payload = f.Payload[:min(len(f.Payload), left)]
		left -= len(f.Payload)
		return f, false, nil
	}}
}

// failsOn ends the connection at a control frame.
func failsOn(typ stream.Type) odd {
	return func(*stream.Link) stream.Hooks {
		return stream.Hooks{Control: func(f stream.Frame) error {
			if f.Type == typ {
				return errors.New("seen a " + typ.String())
			}
			return nil
		}}
	}
}

// forges answers a Ping that the pinger did not send, with each message.
func forges(l *stream.Link) stream.Hooks {
	return stream.Hooks{Out: func(f stream.Frame) error {
		if f.First {
			l.Control(stream.Pong, fmt.Appendf(nil, pingText, 1_000_000))
		}
		return l.Down(f)
	}}
}

// mixes keeps what belongs to a connection in the operator: once there are two
// connections, their messages turn into binary ones.
func mixes() odd {
	var connections atomic.Int32
	return func(*stream.Link) stream.Hooks {
		connections.Add(1)
		return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
			if connections.Load() > 2 { // of both sides
				f.Type = stream.Binary
			}
			return f, false, nil
		}}
	}
}

// beginsAgain begins a message with each piece.
func beginsAgain(l *stream.Link) stream.Hooks {
	return stream.Hooks{Out: func(f stream.Frame) error {
		f.First = true
		return l.Down(f)
	}}
}

var sink []byte

func allocates(*stream.Link) stream.Hooks {
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		sink = make([]byte, 16)
		return f, false, nil
	}}
}

// leaks starts a goroutine for each connection, which ends with stop.
func leaks(stop <-chan struct{}) odd {
	return func(*stream.Link) stream.Hooks {
		go func() { <-stop }()
		return stream.Hooks{}
	}
}
