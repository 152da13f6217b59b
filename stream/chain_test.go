package stream_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A halver hands each piece on in two, and calls between after the first.
type halver struct{ between func() }

func (h halver) Attach(*stream.Link) (stream.Hooks, error) {
	var rest stream.Frame
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		if f.Type == 0 {
			return rest, false, nil
		}
		half := len(f.Payload) / 2
		rest = f
		rest.First, rest.Payload = false, f.Payload[half:]
		f.Last, f.Payload = false, f.Payload[:half]
		h.between()
		return f, true, nil
	}}, nil
}

// A loop that begins with what an operator has left to give may stay in its body
// for long: it is watched over from the start.
func TestLoopThatBeginsWithAnOperatorsRest(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		inner, cancel := context.WithCancel(ctx)
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{halver{func() { cancel(); synctest.Wait() }}}})
		p.Sends(script.Text("message"))
		if _, err := firstOf(t, p.Conn.All(inner)); err != context.Canceled {
			t.Fatalf("the loop was given the error %v, want its context's", err)
		}
		whileAway(t, p.Conn, func(m stream.Message) {
			if got := m.String(); got != "message" {
				t.Errorf("got %q", got)
			}
			answersSoon(t, p)
		})
	})
}

// A delay is an operator that holds back one piece.
type delay struct{}

func (delay) Attach(*stream.Link) (stream.Hooks, error) {
	var held stream.Frame
	return stream.Hooks{In: func(f stream.Frame) (stream.Frame, bool, error) {
		out := held
		held = f
		held.Payload = bytes.Clone(f.Payload)
		return out, false, nil
	}}, nil
}

// Text that an operator hands on late is valid or not by itself, whatever has
// come in behind it.
func TestDelayedTextStaysValid(t *testing.T) {
	bubble(t, "a character in two pieces", func(t *testing.T) {
		p := script.Client(t, &stream.Options{Operators: []stream.Operator{delay{}}})
		p.Sends(script.Text("a\xC3").Open(), script.Last("\xA9"), script.Text("next"))
		if m, err := firstOf(t, p.Conn.All(ctx)); err != nil || m.String() != "aé" {
			t.Errorf("All gives %q, %v", m.Data, err)
		}
	})
}
