package stream_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A counted is a subscription whose numbered messages are checked: each tells how
// many were dropped directly before it.
type counted struct {
	t        *testing.T
	next     uint64
	received uint64
}

func (c *counted) take(m stream.Message) {
	c.t.Helper()
	n := binary.BigEndian.Uint64(m.Data)
	if c.next+m.Skipped() != n {
		c.t.Fatalf("message %d says that %d were skipped behind message %d", n, m.Skipped(), int64(c.next)-1)
	}
	c.next = n + 1
	c.received++
	m.Release()
}

// Received and skipped messages make up all, at the right places, under every
// policy that drops, by number and by bytes, and however fast they are taken.
func TestSkippedIsExact(t *testing.T) {
	for _, policy := range []stream.Policy{stream.Block, stream.DropOldest, stream.DropNewest, stream.Latest, stream.Fail} {
		dropped := uint64(0)
		for seed := range uint64(8) {
			name := fmt.Sprint([]string{"Block", "DropOldest", "DropNewest", "Latest", "Fail"}[policy], "/", seed)
			bubble(t, name+"/Chan", func(t *testing.T) {
				dropped += countAll(t, policy, seed, func(c *stream.Conn, q *stream.SubscribeOptions) (*stream.Subscription[stream.Message], func(*counted, stream.Message)) {
					return c.Chan(t.Context(), q), (*counted).take
				})
			})
			bubble(t, name+"/Batches", func(t *testing.T) {
				dropped += countAll(t, policy, seed, func(c *stream.Conn, q *stream.SubscribeOptions) (*stream.Subscription[[]stream.Message], func(*counted, []stream.Message)) {
					return c.Batches(t.Context(), q), func(k *counted, batch []stream.Message) {
						for i, m := range batch {
							if i > 0 && m.Skipped() > 0 {
								t.Errorf("message %d of a batch says that %d were skipped", i, m.Skipped())
							}
							k.take(m)
						}
					}
				})
			})
		}
		if drops := policy != stream.Block && policy != stream.Fail; drops != (dropped > 0) {
			t.Errorf("policy %d dropped %d messages", policy, dropped)
		}
	}
}

func countAll[T any](t *testing.T, policy stream.Policy, seed uint64, subscribe func(*stream.Conn, *stream.SubscribeOptions) (*stream.Subscription[T], func(*counted, T))) (dropped uint64) {
	const total = 5000
	r := rand.New(rand.NewPCG(seed, uint64(policy)))
	c, theirs := overPipe(t)
	sent := make(chan struct{})
	defer func() { c.CloseNow(nil); theirs.Close(); <-sent }()
	go func() {
		defer close(sent)
		r := rand.New(rand.NewPCG(seed, 7))
		for n := uint64(0); n < total; {
			var burst []byte
			for range 1 + r.IntN(200) {
				if n == total {
					break
				}
				data := binary.BigEndian.AppendUint64(nil, n)
				burst = append(burst, script.Binary(append(data, make([]byte, r.IntN(60))...)).Bytes(false)...)
				n++
			}
			theirs.Write(burst)
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
		}
		theirs.Write(script.Close(1000, "").Bytes(false))
		theirs.Close()
	}()
	s, take := subscribe(c, &stream.SubscribeOptions{Policy: policy, Size: 1 + r.IntN(30), Bytes: []int{0, 200, 2000}[r.IntN(3)]})
	k := &counted{t: t}
	for item := range s.C {
		take(k, item)
		if r.IntN(4) == 0 {
			time.Sleep(time.Duration(r.IntN(500)) * time.Microsecond)
		}
	}
	switch {
	case policy == stream.Fail && s.Err() == stream.ErrSlow:
	case policy == stream.Fail || policy == stream.Block:
		if k.next != total || s.Dropped() > 0 {
			t.Errorf("%d of %d messages came, %d were dropped, and it ended with %v", k.next, total, s.Dropped(), s.Err())
		}
	case k.received+s.Dropped() != total:
		t.Errorf("%d messages were received and %d dropped of %d", k.received, s.Dropped(), total)
	}
	return s.Dropped()
}
