package stream_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A recorded connection gives its bytes as TLS does: no read returns more than
// what is left of one record.
type recorded struct {
	bytes  []byte
	at     int
	record int // bytes in each
	reads  int
}

func (c *recorded) Read(p []byte) (int, error) {
	c.reads++
	if c.at == len(c.bytes) {
		return 0, io.EOF
	}
	end := min(len(c.bytes), c.at+c.record-c.at%c.record)
	n := copy(p, c.bytes[c.at:end])
	c.at += n
	return n, nil
}

func (c *recorded) Write(p []byte) (int, error)     { return len(p), nil }
func (c *recorded) Close() error                    { return nil }
func (c *recorded) SetReadDeadline(time.Time) error { return nil }

// Bytes that come as records are read a record at a time, whatever the length of
// the messages: after the first few reads none is cut, but for the first byte of
// one that begins with a message, which an idle connection might have waited for,
// and where a large message begins and ends, as it is read to where it will lie.
func TestRecordsAreReadWhole(t *testing.T) {
	const records, record = 256, 16 << 10
	for _, size := range []int{16, 1 << 10, 100 << 10} {
		frame := script.Binary(make([]byte, size)).Bytes(false)
		wire := &recorded{record: record, bytes: bytes.Repeat(frame, 1+records*record/len(frame))}
		want := len(wire.bytes) / len(frame)
		c, err := stream.New(wire, stream.Client, &stream.Options{SizeLimit: -1})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for m, err := range c.All(context.Background()) {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				break
			}
			if err != nil || len(m.Data) != size {
				t.Fatalf("%d bytes: message of %d, error %v", size, len(m.Data), err)
			}
			got++
		}
		if got != want {
			t.Errorf("%d bytes: %d messages; want %d", size, got, want)
		}
		most := 10
		for at := 0; at < len(wire.bytes); at += record {
			most++
			if at%len(frame) == 0 {
				most++
			}
		}
		if size >= 32<<10 { // the end of a large message, the first byte of the next, its header, what came with it: the record is there
			most += 4 * want
		}
		if wire.reads > most {
			t.Errorf("%d bytes: %d reads; want at most %d", size, wire.reads, most)
		}
	}
}

// A Reader whose messages a subscriber has come to take reads nothing of them.
func TestReaderYieldsToAChan(t *testing.T) {
	bubble(t, "within a message", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Binary(bytes.Repeat([]byte("x"), 100)))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 10)
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		s := p.Conn.Chan(t.Context(), nil)
		p.Sends(script.Binary(bytes.Repeat([]byte("y"), 100)))
		within(t, "the next message", s.C)
		synctest.Wait()
		if n, err := r.Read(b); n > 0 || err != stream.ErrTaken {
			t.Errorf("Read gives %q and %v, want ErrTaken", b[:n], err)
		}
	})
}

// A loop passes over the rest of a message that a Reader has begun, and that
// Reader reads no more of it.
func TestReaderIsStaleBehindALoop(t *testing.T) {
	bubble(t, "within a message", func(t *testing.T) {
		p := script.Client(t, nil)
		p.Sends(script.Binary(bytes.Repeat([]byte("x"), 100)), script.Text("next"))
		_, r, err := p.Conn.Reader(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := firstOf(t, p.Conn.All(ctx)); err != nil || m.String() != "next" {
			t.Errorf("the loop gets %q, %v", m.Data, err)
		}
		b := make([]byte, 10)
		if n, err := r.Read(b); n > 0 || err == nil || err == io.EOF {
			t.Errorf("Read gives %q and %v, want an error of its own", b[:n], err)
		}
	})
}

// A last is a connection whose Read gives the last bytes and the end in one, as
// that of a tls.Conn does.
type last struct {
	net.Conn
	bytes []byte
}

func (l *last) Read(p []byte) (int, error) {
	n := copy(p, l.bytes)
	if l.bytes = l.bytes[n:]; len(l.bytes) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// The peer's Close counts although the end of the transport comes with it,
// whoever reads it: a consumer, or the look-ahead for one that is away.
func TestEndThatComesWithTheLastBytes(t *testing.T) {
	for _, away := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			go io.Copy(io.Discard, theirs)
			bytes := append(script.Text("a").Bytes(false), script.Close(1000, "bye").Bytes(false)...)
			c, err := stream.New(&last{ours, bytes}, stream.Client, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := 0
			if away {
				time.Sleep(time.Minute)
			}
			for _, err := range c.All(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				got++
			}
			status, err := c.Result().Wait(ctx)
			if got != 1 || err != nil || status.Code != result.StatusNormalClosure {
				t.Errorf("away %v: %d messages, then %v and %v", away, got, status, err)
			}
		})
	}
}
