package main

import "io"

// A conversation is one open connection of a library that is used one call at
// a time.
type conversation interface {
	// read returns the next message, valid until the next call.
	read() ([]byte, error)
	// write writes a message, of the type that the target asks for.
	write([]byte) error
	close()
}

// conversing makes a library of a way to open conversations.
func conversing(name string, kind kind, dial func(target) (conversation, error)) *library {
	l := &library{name: name, kind: kind}
	l.receive = func(t target, tally *tally) error {
		c, err := dial(t)
		if err != nil {
			return err
		}
		defer c.close()
		return readAll(c, t, tally)
	}
	l.send = func(t target, deck *deck, tally *tally) error {
		c, err := dial(t)
		if err != nil {
			return err
		}
		defer c.close()
		return writeAll(c, deck, tally)
	}
	l.echo = func(t target, message []byte, tally *tally) error {
		c, err := dial(t)
		if err != nil {
			return err
		}
		defer c.close()
		return bounce(c, message, tally)
	}
	l.hold = func(t target, first [][]byte) (func() error, error) {
		c, err := dial(t)
		for i := 0; err == nil && i < len(first); i++ {
			err = c.write(first[i])
		}
		return func() error { return await(c) }, err
	}
	if kind == peer { // the memory of a message is its own
		l.gather = funnel(func(t target, c chan<- []byte) (func() error, error) {
			from, err := dial(t)
			return func() error { return forward(from, c) }, err
		}, useBytes)
	}
	return l
}

func readAll(c conversation, t target, tally *tally) error {
	for {
		message, err := c.read()
		if err != nil {
			return err
		}
		if err := t.check(message); err != nil {
			return err
		}
		if !tally.take(message) {
			return nil
		}
	}
}

func writeAll(c conversation, deck *deck, tally *tally) error {
	for {
		message := deck.next()
		if err := c.write(message); err != nil {
			return err
		}
		if !tally.take(message) {
			return nil
		}
	}
}

func bounce(c conversation, message []byte, tally *tally) error {
	for {
		if err := c.write(message); err != nil {
			return err
		}
		back, err := c.read()
		if err != nil {
			return err
		}
		if !tally.take(back) {
			return nil
		}
	}
}

func forward(from conversation, to chan<- []byte) error {
	for {
		message, err := from.read()
		if err != nil {
			return err
		}
		to <- message
	}
}

// await reads until the connection ends.
func await(c conversation) error {
	for {
		if _, err := c.read(); err != nil {
			return err
		}
	}
}

// fill reads r to its end into the memory of buf, and more where it needs it.
func fill(buf []byte, r io.Reader) ([]byte, error) {
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}
