package wsflow_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/deflate"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A hostile is the server's end of a connection, in a bubble.
type hostile struct {
	net.Conn
	conn *stream.Conn
	took atomic.Int64 // bytes that the connection took
}

// attacked opens a connection whose peer does what attack says, and reads
// nothing.
func attacked(t *testing.T, o *stream.Options, attack func(h *hostile)) *hostile {
	t.Helper()
	ours, theirs := net.Pipe()
	conn, err := stream.New(ours, stream.Client, o)
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{Conn: theirs, conn: conn}
	t.Cleanup(func() { conn.CloseNow(nil); theirs.Close() })
	go attack(h)
	return h
}

func (h *hostile) Write(p []byte) (int, error) {
	n, err := h.Conn.Write(p)
	h.took.Add(int64(n))
	return n, err
}

// repeats sends a frame n times.
func (h *hostile) repeats(n int, frame []byte) {
	const together = 256
	many := bytes.Repeat(frame, min(n, together))
	for ; n > 0; n -= together {
		h.Write(many[:min(n, together)*len(frame)])
	}
}

// frame makes a server's frame of which the header claims a length.
func frame(first byte, claims uint64, payload []byte) []byte {
	b := []byte{first}
	switch {
	case claims > 0xFFFF:
		b = binary.BigEndian.AppendUint64(append(b, 127), claims)
	case claims > 125:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(claims))
	default:
		b = append(b, byte(claims))
	}
	return append(b, payload...)
}

func whole(first byte, payload []byte) []byte { return frame(first, uint64(len(payload)), payload) }

const (
	fin      = 0x80
	rsv1     = 0x40
	more     = 0x0
	text     = 0x1
	binaryOp = 0x2
	closes   = 0x8
	ping     = 0x9
)

// takeAll takes all messages and returns how many came and how it ended.
func takeAll(c *stream.Conn) (messages int, err error) {
	for _, err := range c.All(context.Background()) {
		if err != nil {
			return messages, err
		}
		messages++
	}
	return messages, nil
}

func failsWith(t *testing.T, err error, code result.StatusCode) {
	t.Helper()
	var breach *result.ProtocolError
	if !errors.As(err, &breach) || breach.Code != code {
		t.Errorf("it ended with %v, want a protocol error with the code %d", err, code)
	}
}

// A flood is what a peer sends to fill the memory of one who takes what comes,
// and what must come of it.
type flood struct {
	name   string
	limit  int64 // of the heap's growth
	opts   *stream.Options
	attack func(h *hostile)
	breach result.StatusCode // 0: none, the peer closes at last
	comes  int               // messages
}

func zeros(n int) []byte { return make([]byte, n) }

func floods(t *testing.T) []flood {
	bomb := compressed(t, volume())
	fragments := func(first byte) func(h *hostile) {
		return func(h *hostile) {
			h.Write(whole(first, []byte("begins")))
			h.repeats(volume()/kib, whole(more, bytes.Repeat([]byte("a"), kib)))
		}
	}
	inFragments := func(h *hostile) {
		h.Write(whole(rsv1|binaryOp, nil))
		for p := range chunks(bomb, 100) {
			h.Write(whole(more, p))
		}
		h.Write(whole(fin|more, nil))
	}
	small := &stream.Options{SizeLimit: mib}
	return []flood{
		// A message of up to 16 MiB lies in memory that doubles when it is full:
		// 16 MiB of it, and at the worst 32 MiB to which they are copied.
		{"text in fragments without end", 64 * mib, nil, fragments(text), 1009, 0},
		{"binary in fragments without end", 64 * mib, nil, fragments(binaryOp), 1009, 0},
		{"fragments without end, limit 1 MiB", 6 * mib, small, fragments(binaryOp), 1009, 0},
		{"a million empty fragments", 4 * mib, nil, func(h *hostile) {
			h.Write(whole(text, []byte("begins")))
			h.repeats(1e6, whole(more, nil))
			h.Write(whole(fin|more, []byte("ends")))
			h.closes()
		}, 0, 1},
		{"a million empty messages", 4 * mib, nil, func(h *hostile) { h.repeats(1e6, whole(fin|text, nil)); h.closes() }, 0, 1e6},
		{"pings of which the answers are not read", 8 * mib, nil, func(h *hostile) {
			h.repeats(volume()/125, whole(fin|ping, zeros(125)))
			h.closes()
		}, 0, 0},
		{"garbage as close reason", 4 * mib, nil, func(h *hostile) {
			h.repeats(1e6, whole(fin|closes, append([]byte{3, 232}, bytes.Repeat([]byte{0xFF}, 123)...)))
		}, 1007, 0},
		{"a length of 2^63-1", 4 * mib, nil, func(h *hostile) { h.Write(frame(fin|binaryOp, 1<<63-1, nil)); endlessly(h, "x") }, 1009, 0},
		{"a length of 2^63-1 in a fragment", 4 * mib, nil, func(h *hostile) {
			h.Write(whole(binaryOp, []byte("begins")))
			h.Write(frame(fin|more, 1<<63-1, nil))
			endlessly(h, "x")
		}, 1009, 0},
		{"a bomb", 64 * mib, inflating(t, 0), func(h *hostile) { h.Write(whole(fin|rsv1|binaryOp, bomb)) }, 1009, 0},
		{"a bomb, limit 1 MiB", 6 * mib, inflating(t, mib), func(h *hostile) { h.Write(whole(fin|rsv1|binaryOp, bomb)) }, 1009, 0},
		{"a bomb in fragments, limit 1 MiB", 6 * mib, inflating(t, mib), inFragments, 1009, 0},
	}
}

// inflating are options with permessage-deflate.
func inflating(t *testing.T, limit int64) *stream.Options {
	op, err := deflate.New(nil).Accept("permessage-deflate")
	if err != nil {
		t.Fatal(err)
	}
	return &stream.Options{SizeLimit: limit, Operators: []stream.Operator{op}}
}

func (h *hostile) closes() { h.Write(whole(fin|closes, []byte{3, 232})) }

// compressed deflates n zeros as a message: about a thousandth is left.
func compressed(t *testing.T, n int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for ; n > 0; n -= mib {
		w.Write(zeros(mib))
	}
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})
}

func chunks(b []byte, n int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for ; len(b) > n && yield(b[:n]); b = b[n:] {
		}
		yield(b)
	}
}

func TestMemoryOfFloods(t *testing.T) {
	for _, fl := range floods(t) {
		t.Run(fl.name, func(t *testing.T) {
			staysUnder(t, fl.limit, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := attacked(t, fl.opts, fl.attack)
					n, err := takeAll(h.conn)
					if n != fl.comes {
						t.Errorf("%d messages came, want %d", n, fl.comes)
					}
					if fl.breach != 0 {
						failsWith(t, err, fl.breach)
					} else if err != nil {
						t.Errorf("it ended with %v", err)
					}
				})
			})
		})
	}
}

// A message of any size streams through Reader, compressed or not; only pieces
// of it are in memory.
func TestMemoryOfReader(t *testing.T) {
	size := volume() / 2
	bomb := compressed(t, size)
	for name, attack := range map[string]func(h *hostile){
		"a bomb":   func(h *hostile) { h.Write(whole(fin|rsv1|binaryOp, bomb)) },
		"a length": func(h *hostile) { h.Write(frame(fin|binaryOp, uint64(size), nil)); h.repeats(size/kib, zeros(kib)) },
		"fragments": func(h *hostile) {
			h.Write(whole(binaryOp, nil))
			h.repeats(size/kib, whole(more, zeros(kib)))
			h.Write(whole(fin|more, nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			staysUnder(t, 8*mib, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := attacked(t, inflating(t, 1), attack)
					_, r, err := h.conn.Reader(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, r); n != int64(size) || err != nil {
						t.Errorf("%d bytes came, then %v", n, err)
					}
				})
			})
		})
	}
}

// A header alone makes nobody provide for what it claims, nor does a little behind
// it.
func TestMemoryOfClaims(t *testing.T) {
	for _, claim := range []uint64{126, 512 * kib, mib, 16 * mib} {
		for _, comes := range []int{0, 16 * kib} {
			staysUnder(t, mib+int64(10*(2*64*kib+4*comes)), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					for range 10 {
						h := attacked(t, nil, func(h *hostile) {
							h.Write(frame(fin|binaryOp, claim, []byte("begins")))
							h.repeats(comes/16, zeros(16))
						})
						go takeAll(h.conn)
					}
					time.Sleep(time.Hour)
				})
			})
		}
	}
}

// aways are the ways of an application not to take what comes.
var aways = map[string]func(c *stream.Conn){
	"nobody takes": func(*stream.Conn) {},
	"paused":       func(c *stream.Conn) { c.Pause(); takeAll(c) },
	"in All's loop": func(c *stream.Conn) {
		for range c.All(context.Background()) {
			<-c.Done()
		}
	},
	"a full subscription": func(c *stream.Conn) {
		sub := c.Chan(context.Background(), &stream.SubscribeOptions{Size: 1})
		<-c.Done()
		sub.Cancel()
	},
	"a callback": func(c *stream.Conn) {
		c.OnText(func(string) { <-c.Done() })
	},
	"between reads": func(c *stream.Conn) {
		if _, r, err := c.Reader(context.Background()); err == nil {
			io.ReadFull(r, zeros(1))
		}
	},
}

// While the consumer is away, the look-ahead's bound holds for whatever comes.
// What it does not take is left to the peer.
func TestMemoryOfAbsence(t *testing.T) {
	const bound = mib // the default of Options.LookAhead
	for kind, f := range map[string][]byte{
		"messages":                    whole(fin|text, bytes.Repeat([]byte("a"), kib)),
		"empty messages":              whole(fin|text, nil),
		"pings":                       whole(fin|ping, zeros(125)),
		"a large message":             frame(fin|text, 1<<40, bytes.Repeat([]byte("a"), kib)),
		"one that is larger than all": frame(fin|text, 1<<63-1, bytes.Repeat([]byte("a"), kib)),
	} {
		for name, away := range aways {
			t.Run(kind+"/"+name, func(t *testing.T) {
				staysUnder(t, 6*mib, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h := attacked(t, nil, func(h *hostile) { h.repeats(9, whole(fin|text, []byte("a"))); endlessly(h, string(f)) })
						go away(h.conn)
						time.Sleep(time.Hour)
						if n := h.took.Load(); n > bound+256*kib {
							t.Errorf("%d bytes were taken, the bound is %d", n, bound)
						}
					})
				})
			})
		}
	}
}

// After Close the connection looks for the peer's Close for as long as it may,
// and 16 MiB far. A peer that never stops does not get further.
func TestMemoryAfterClose(t *testing.T) {
	for name, away := range aways {
		t.Run(name, func(t *testing.T) {
			staysUnder(t, 40*mib, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := attacked(t, nil, func(h *hostile) { endlessly(h, string(whole(fin|text, bytes.Repeat([]byte("a"), kib)))) })
					go away(h.conn)
					go io.Copy(io.Discard, h.Conn)
					time.Sleep(time.Second)
					h.conn.Close(1000, "")
					began := time.Now()
					<-h.conn.Done()
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("the end took %v", took)
					}
				})
			})
		})
	}
}
