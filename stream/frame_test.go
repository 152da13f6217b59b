package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/result"
)

// longFrame begins a binary frame: its header says how long it is.
func longFrame(length uint64, payload string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{0x82, 127}, length), payload...)
}

// takes runs a loop over All for a second, while so many megabytes come, and
// returns the error that it ends with.
func takes(t *testing.T, c *Conn, theirs net.Conn, megabytes int) (err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	go func() {
		for range megabytes {
			theirs.Write(make([]byte, 1<<20))
		}
	}()
	for m, fault := range c.All(ctx) {
		if err = fault; err == nil {
			t.Errorf("a message of %d bytes comes", len(m.Data))
		}
	}
	return err
}

// frameLengths are longer than what is read in one piece; some are as short as
// that, or 0, in 32 bits.
var frameLengths = []uint64{100 << 20, 1 << 32, 1<<32 + 1, 1<<40 + 1<<10}

// What a Reader leaves of a frame is passed over as it comes, however long the
// frame is.
func TestAllPassesOverWhatAReaderLeaves(t *testing.T) {
	for _, length := range frameLengths {
		synctest.Test(t, func(t *testing.T) {
			c, theirs := clientOverPipe(t)
			go theirs.Write(longFrame(length, "begin"))
			if _, _, err := c.Reader(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := takes(t, c, theirs, 8); err != context.DeadlineExceeded {
				t.Errorf("a frame of %d bytes: the loop ends with %v", length, err)
			}
			if n := c.r.filled - c.r.pos; n > 0 {
				t.Errorf("a frame of %d bytes: %d of those that are passed over are held", length, n)
			}
		})
	}
}

// A Reader that gave up behind a header has taken nothing: who assembles the
// message is held to the size limit.
func TestAllBoundsAFrameThatAReaderBegan(t *testing.T) {
	for _, length := range frameLengths {
		synctest.Test(t, func(t *testing.T) {
			c, theirs := clientOverPipe(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			go theirs.Write(longFrame(length, ""))
			if _, _, err := c.Reader(ctx); err != context.DeadlineExceeded {
				t.Fatal(err)
			}
			go func() { // what it is told
				for p := make([]byte, 1<<10); ; {
					if _, err := theirs.Read(p); err != nil {
						return
					}
				}
			}()
			err := takes(t, c, theirs, 20)
			if fault := (*result.ProtocolError)(nil); !errors.As(err, &fault) || fault.Code != result.StatusMessageTooBig {
				t.Errorf("a frame of %d bytes: the loop ends with %v", length, err)
			}
		})
	}
}

// What a Reader has handed out but not given lies in the buffer until the Reader
// is stale, also where a subscription ends before the fan-out has begun.
func TestReaderBesideASubscriptionThatNeverBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := clientOverPipe(t)
		go theirs.Write([]byte("\x82\x07message"))
		_, message, err := c.Reader(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s, _ := newSubscription[Message](c, nil, 1)
		l := newSingles(s)
		if _, start, err := c.source.join(l, nil); !start || err != nil {
			t.Fatal(start, err)
		}
		c.source.leave(l)
		newFanout(c).run()
		var p [8]byte
		if n, err := message.Read(p[:]); err != errStale && (err != nil || string(p[:n]) != "message") {
			t.Errorf("read %q, %v", p[:n], err)
		}
	})
}
