package streamtest

import "github.com/wsflow/wsflow/stream"

// A splitter is an operator that cuts outbound pieces into small ones, and puts
// empty ones between them.
type splitter struct{}

// splitSize is what fewSizes are no multiples of.
const splitSize = 700

func (splitter) Attach(link *stream.Link) (stream.Hooks, error) {
	return stream.Hooks{Out: func(f stream.Frame) error { return split(link, f) }}, nil
}

func split(link *stream.Link, f stream.Frame) error {
	rest, last := f.Payload, f.Last
	f.Last = false
	for n := 0; len(rest) > splitSize; n++ {
		f.Payload = rest[:n%2*splitSize]
		rest = rest[len(f.Payload):]
		if err := link.Down(f); err != nil {
			return err
		}
		f.First = false
	}
	f.Payload, f.Last = rest, last
	return link.Down(f)
}
