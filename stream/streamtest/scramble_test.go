package streamtest_test

import "github.com/wsflow/wsflow/stream"

// Scramble is an operator that sends each byte combined with its own, and
// marks the messages that it changed by the reserved bit RSV3.
type Scramble byte

const rsv3 = 1

// Attach makes what belongs to one connection.
func (s Scramble) Attach(link *stream.Link) (stream.Hooks, error) {
	c := &scrambler{link: link, with: byte(s)}
	return stream.Hooks{In: c.in, Out: c.out, RSV: rsv3}, nil
}

type scrambler struct {
	link *stream.Link
	with byte

	here, there []byte // what In returned last, and what Out handed on last
	leave       bool   // the message that Out is handed is to stay as it is
}

// in is handed only messages that are marked.
func (s *scrambler) in(f stream.Frame) (stream.Frame, bool, error) {
	s.here = s.mix(s.here[:0], f.Payload)
	f.Payload = s.here
	f.RSV &^= rsv3
	return f, false, nil
}

func (s *scrambler) out(f stream.Frame) error {
	if f.First {
		s.leave = f.Verbatim
	}
	if s.leave {
		return s.link.Down(f)
	}
	s.there = s.mix(s.there[:0], f.Payload)
	f.Payload = s.there
	f.RSV |= rsv3
	return s.link.Down(f)
}

func (s *scrambler) mix(to, from []byte) []byte {
	for _, b := range from {
		to = append(to, b^s.with)
	}
	return to
}
