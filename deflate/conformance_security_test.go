package deflate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const (
	bombSize  = 4 << 20
	bombLimit = 64 << 10
)

// bomb returns a message a thousandth of the size of what it inflates to.
func bomb() []byte { return compressed(make([]byte, bombSize), 9) }

// allocated returns how many bytes were allocated while f ran.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// There is no rule on it in the RFC, but a compressed message can be a thousand
// times as large as what carries it: the limit on the size of messages must hold
// for what comes out, and hold in time.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-8
func TestSection8Bomb(t *testing.T) {
	m := bomb()
	takers := map[string]func(t *testing.T, c *stream.Conn) error{
		"All": func(_ *testing.T, c *stream.Conn) (err error) {
			for _, err = range c.All(context.Background()) {
			}
			return err
		},
		"Chan": func(_ *testing.T, c *stream.Conn) error {
			s := c.Chan(context.Background(), nil)
			for range s.C {
			}
			return s.Err()
		},
	}
	for name, sends := range map[string][]script.Frame{
		"whole":                  {packed(script.Binary(m))},
		"in fragments":           split(script.Binary(m), 5_000),
		"without an end":         {packed(script.Binary(m)).Open()},
		"in a frame without end": {packed(script.Binary(m)).Claiming(1 << 40)},
	} {
		for by, take := range takers {
			inBothRoles(t, "8", "a bomb, "+name+", taken by "+by, func(t *testing.T, s side) {
				p := s.start(t, defaults, Options{}, &stream.Options{SizeLimit: bombLimit})
				p.Sends(sends...)
				var err error
				spent := allocated(func() { err = take(t, p.Conn) })
				var breach *result.ProtocolError
				if !errors.As(err, &breach) || breach.Code != 1009 {
					t.Errorf("it ended with %v", err)
				}
				p.WantsClose(1009)
				if spent > bombSize/2 {
					t.Errorf("%d bytes were allocated for a bomb of %d, with a limit of %d", spent, bombSize, bombLimit)
				}
				if state, _ := Of(p.Conn); state.Received().Plain > bombLimit+2*pieceSize {
					t.Errorf("%d bytes were inflated, with a limit of %d", state.Received().Plain, bombLimit)
				}
			})
		}
	}
}

// The limit is that of the message as the application gets it.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-8
func TestSection8Limit(t *testing.T) {
	for name, size := range map[string]int{"at the limit": bombLimit, "a byte below": bombLimit - 1, "a byte beyond": bombLimit + 1} {
		inBothRoles(t, "8", "a message "+name, func(t *testing.T, s side) {
			p := s.start(t, defaults, Options{}, &stream.Options{SizeLimit: bombLimit})
			app := takeAll(p.Conn)
			plain := make([]byte, size)
			p.Sends(packed(script.Binary(compressed(plain, 9))), script.Close(1000, ""))
			if size > bombLimit {
				p.WantsClose(1009)
				app.fails(t, 1009)
				return
			}
			p.WantsClose(1000)
			app.ends(t)
			app.got(t, bin(plain))
		})
	}
}

// A Reader has no limit, but is bounded by pieces; and nothing is inflated for
// nobody.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-8
func TestSection8Pieces(t *testing.T) {
	m := bomb()
	inBothRoles(t, "8", "a bomb is read as a stream", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, &stream.Options{SizeLimit: bombLimit})
		p.Sends(packed(script.Binary(m)))
		spent := allocated(func() {
			_, r, err := p.Conn.Reader(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, r); n != bombSize || err != nil {
				t.Errorf("%d bytes were read, %v", n, err)
			}
		})
		if spent > bombSize/2 {
			t.Errorf("%d bytes were allocated for a bomb of %d", spent, bombSize)
		}
	})
	inBothRoles(t, "8", "a bomb that nobody takes is not inflated", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, nil)
		p.Sends(packed(script.Binary(m)))
		p.Sent()
		synctest.Wait()
		if state, _ := Of(p.Conn); state.Received().Plain != 0 {
			t.Errorf("%d bytes were inflated", state.Received().Plain)
		}
	})
	inBothRoles(t, "8", "a bomb whose taker went away is not inflated further", func(t *testing.T, s side) {
		p := s.start(t, defaults, Options{}, nil)
		p.Sends(packed(script.Binary(m)))
		_, r, err := p.Conn.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1000)
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, make([]byte, 1000)) {
			t.Errorf("came % x, %v", got[:10], err)
		}
		p.Sent()
		synctest.Wait()
		if state, _ := Of(p.Conn); state.Received().Plain > 2*pieceSize {
			t.Errorf("%d bytes were inflated for 1,000", state.Received().Plain)
		}
	})
}
