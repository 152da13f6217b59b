package streamtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/wsflow/wsflow/stream"
)

// An item is one message of a script, and how it is sent.
type item struct {
	stream.Message
	pieces   int  // how many writes it is sent in; 0: whole
	verbatim bool // operators are asked to leave it as it is
}

func (i item) String() string {
	how := "whole"
	if i.pieces > 0 {
		how = fmt.Sprintf("in %d writes", i.pieces)
	}
	return fmt.Sprintf("%v of %d bytes sent %s, verbatim %t", i.Type, len(i.Data), how, i.verbatim)
}

// The sizes at which frame headers and buffers change, and fewer of them for
// checks that are many.
var (
	allSizes = []int{0, 1, 125, 126, 127, 65535, 65536, 65537, large}
	fewSizes = []int{0, 1, 126, 65536}
	twoSizes = []int{0, 5000}
)

const large = 1 << 20

// script returns messages of the sizes, of both types, whole, in fragments and
// verbatim; large ones are of one type each. What they say depends on the seed
// alone.
func script(seed uint64, sizes []int) (items []item) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	rnd := rand.NewChaCha8(key)
	for _, size := range sizes {
		for n, how := range []item{{}, {pieces: 1}, {pieces: 3}, {verbatim: true}} {
			if size != large || n%2 == 0 {
				how.Type, how.Data = stream.Text, text(rnd, size)
				items = append(items, how)
			}
			if size != large || n%2 == 1 {
				how.Type, how.Data = stream.Binary, noise(rnd, size)
				items = append(items, how)
			}
		}
	}
	return items
}

// text returns UTF-8 of runes of all lengths, so that fragments cut some. It
// repeats itself each KiB or so.
func text(rnd *rand.ChaCha8, size int) []byte {
	some := runes(rnd, min(size, 1<<10))
	b := bytes.Repeat(some, size/max(len(some), 1))
	return append(b, runes(rnd, size-len(b))...)
}

func runes(rnd *rand.ChaCha8, size int) []byte {
	runes := []string{"a", "ß", "€", "𝄞"}
	b := make([]byte, 0, size)
	for len(b) < size {
		n := rnd.Uint64() % uint64(min(len(runes), size-len(b)))
		b = append(b, runes[n]...)
	}
	return b
}

// noise returns bytes of which every second run of 64 repeats the one before,
// so that they compress, but not well.
func noise(rnd *rand.ChaCha8, size int) []byte {
	b := make([]byte, size)
	rnd.Read(b)
	for i := 64; i < size; i += 128 {
		copy(b[i:min(i+64, size)], b[i-64:i])
	}
	return b
}

func send(ctx context.Context, c *stream.Conn, items []item) error {
	for n, i := range items {
		if err := i.send(ctx, c); err != nil {
			return fmt.Errorf("message %d (%v): %w", n, i, err)
		}
	}
	return nil
}

func (i item) send(ctx context.Context, c *stream.Conn) error {
	if i.pieces == 0 {
		m := i.Message
		if i.verbatim {
			m.Type |= stream.Verbatim
		}
		return c.Send(ctx, m)
	}
	w, err := c.Writer(ctx, i.Type)
	if err != nil {
		return err
	}
	for rest, left := i.Data, i.pieces; left > 0; left-- {
		n := (len(rest) + left - 1) / left
		if _, err := w.Write(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return w.Close()
}

// receive takes as many messages as the script has and compares them with it.
func receive(ctx context.Context, c *stream.Conn, items []item) error {
	n := 0
	if len(items) == 0 {
		return nil
	}
	for m, err := range c.All(ctx) {
		if err != nil {
			return fmt.Errorf("waiting for message %d (%v): %w", n, items[n], err)
		}
		if err := same(m, items[n]); err != nil {
			return fmt.Errorf("message %d (%v): %w", n, items[n], err)
		}
		if n++; n == len(items) {
			return nil
		}
	}
	return fmt.Errorf("waiting for message %d (%v): %w", n, items[n], io.ErrUnexpectedEOF)
}

func same(m stream.Message, want item) error {
	if m.Type != want.Type || len(m.Data) != len(want.Data) {
		return fmt.Errorf("%v of %d bytes arrived", m.Type, len(m.Data))
	}
	if bytes.Equal(m.Data, want.Data) {
		return nil
	}
	at := 0
	for m.Data[at] == want.Data[at] {
		at++
	}
	return fmt.Errorf("byte %d arrived as %#02x, not %#02x", at, m.Data[at], want.Data[at])
}
