package stream_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A handover is a connection whose numbered messages are taken by one after the
// other, in all kinds of ways.
type handover struct {
	t    *testing.T
	r    *rand.Rand
	c    *stream.Conn
	next uint64 // the number of the message that is due
	last uint64 // behind the last one
	stop func() // ends the taker
	end  error  // that a stream ended with, if over
	over bool
}

// got notes a message.
func (h *handover) got(how string, data []byte) {
	h.t.Helper()
	n := binary.BigEndian.Uint64(data)
	if n != h.next {
		h.t.Fatalf("%s gets message %d, and %d is due", how, n, h.next)
	}
	if h.next++; h.next == h.last {
		h.stop()
	}
}

// done notes how a stream ended whose taker is not the one that ended it.
func (h *handover) done(ctx context.Context, err error) {
	if ctx.Err() == nil {
		h.over, h.end = true, err
	}
}

// queue is one of any kind that loses nothing.
func (h *handover) queue() *stream.SubscribeOptions {
	return &stream.SubscribeOptions{Size: 1 + h.r.IntN(100), Bytes: []int{0, -1, 1, 300, 20_000}[h.r.IntN(5)]}
}

// Each way takes some messages and stops by itself or when ctx ends.
var handoverWays = map[string]func(h *handover, ctx context.Context, most int){
	"All": func(h *handover, ctx context.Context, most int) {
		for m, err := range h.c.All(ctx) {
			if err != nil {
				h.done(ctx, err)
				return
			}
			h.got("All", m.Data)
			if most--; most == 0 {
				return
			}
		}
		h.done(ctx, nil)
	},
	"Reader": func(h *handover, ctx context.Context, most int) {
		for ; most > 0; most-- {
			_, r, err := h.c.Reader(ctx)
			if err != nil {
				h.done(ctx, err)
				return
			}
			data, err := io.ReadAll(r)
			if err != nil { // what was read of it was given
				data = append(data, binary.BigEndian.AppendUint64(nil, h.next)[min(len(data), 8):]...)
			}
			h.got("Reader", data)
		}
	},
	"Chan": func(h *handover, ctx context.Context, most int) {
		s := h.c.Chan(ctx, h.queue())
		for m := range s.C {
			h.got("Chan", m.Data)
			m.Release()
			if most--; most == 0 {
				s.Cancel()
			}
		}
		if most > 0 {
			h.done(ctx, s.Err())
		}
	},
	"Batches": func(h *handover, ctx context.Context, most int) {
		s := h.c.Batches(ctx, h.queue())
		for batch := range s.C {
			for _, m := range batch {
				h.got("Batches", m.Data)
				m.Release()
			}
			if most -= len(batch); most <= 0 {
				s.Cancel()
			}
		}
		if most > 0 {
			h.done(ctx, s.Err())
		}
	},
	"Observable": func(h *handover, ctx context.Context, most int) {
		h.observe(ctx, most, h.c.Observable(h.queue()), func(v any) []stream.Message { return []stream.Message{v.(stream.Message)} })
	},
	"ObservableBatches": func(h *handover, ctx context.Context, most int) {
		h.observe(ctx, most, h.c.ObservableBatches(h.queue()), func(v any) []stream.Message { return v.([]stream.Message) })
	},
	"callbacks": func(h *handover, ctx context.Context, most int) {
		stopped := make(chan struct{})
		var stop func()
		resume := h.c.Pause()
		stop = h.c.OnBinary(func(data []byte) {
			h.got("a callback", data)
			if most--; most == 0 || ctx.Err() != nil {
				stop()
				close(stopped)
			}
		})
		resume()
		select {
		case <-stopped:
			synctest.Wait() // until the callback has returned
		case <-h.c.Done():
			done := make(chan struct{})
			h.c.Result().Then(func(result.Status) { close(done) }, func(error) { close(done) })
			<-done
			stop()
		}
	},
	"two that overlap": func(h *handover, ctx context.Context, most int) {
		first := h.c.Chan(ctx, h.queue())
		for m := range first.C {
			h.got("the first", m.Data)
			if most--; most <= 0 {
				break
			}
		}
		second := h.c.Batches(ctx, h.queue())
		first.Cancel()
		for m := range first.C {
			h.got("the first, at last,", m.Data)
		}
		due, begun := h.next, false
		for batch := range second.C {
			for _, m := range batch {
				if n := binary.BigEndian.Uint64(m.Data); !begun && n <= due {
					h.next, begun = n, true
				}
				h.got("the second", m.Data)
			}
			if h.next > due+20 {
				second.Cancel()
			}
		}
		if h.next <= due+20 {
			h.done(ctx, second.Err())
		}
	},
}

func (h *handover) observe(ctx context.Context, most int, o rxgo.Observable, messages func(any) []stream.Message) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	items := o.Observe(rxgo.WithContext(inner), rxgo.WithBufferedChannel(h.r.IntN(4)))
	for item := range items {
		if item.E != nil {
			h.done(inner, item.E)
			return
		}
		for _, m := range messages(item.V) {
			h.got("Observable", m.Data)
			m.Release()
			most--
		}
		if most <= 0 {
			cancel()
		}
	}
	h.done(inner, nil)
}

// numberedBurst returns a few messages as frames, of sizes that lie in one buffer
// or in several, whole or in fragments.
func numberedBurst(r *rand.Rand, from, most uint64) (frames []byte, next uint64) {
	for n := min(most-from, 1+r.Uint64N(400)); n > 0; n-- {
		data := binary.BigEndian.AppendUint64(nil, from)
		switch r.IntN(100) {
		case 0:
			data = append(data, make([]byte, r.IntN(100_000))...)
		case 1, 2, 3:
			data = append(data, make([]byte, r.IntN(1500))...)
		}
		if from++; r.IntN(20) > 0 {
			frames = append(frames, script.Binary(data).Bytes(false)...)
			continue
		}
		frames = append(frames, script.Binary(data[:4]).Open().Bytes(false)...)
		frames = append(frames, script.Ping("p").Bytes(false)...)
		frames = append(frames, script.Last(data[4:]).Bytes(false)...)
	}
	return frames, from
}

// What the last subscription was not given goes to the next one, in order and
// whatever face it has, before and after the end of the connection.
func TestContract05NothingIsLostBetweenTakers(t *testing.T) {
	ends := map[string]func(net.Conn){
		"open":    func(net.Conn) {},
		"a Close": func(c net.Conn) { c.Write(script.Close(1000, "").Bytes(false)) },
		"a cut":   func(c net.Conn) { c.Close() },
	}
	for name, end := range ends {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(name, "/", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { handOver(t, seed, 34_000, end) })
			})
		}
	}
}

func handOver(t *testing.T, seed, total uint64, end func(net.Conn)) {
	c, theirs := overPipe(t)
	go io.Copy(io.Discard, theirs) // ends with the pipe
	sent := make(chan struct{})
	defer func() { theirs.Close(); <-sent }()
	go func() {
		defer close(sent)
		r := rand.New(rand.NewPCG(seed, 2))
		for n := uint64(0); n < total; {
			var burst []byte
			burst, n = numberedBurst(r, n, total)
			if _, err := theirs.Write(burst); err != nil {
				return
			}
			if r.IntN(3) == 0 {
				time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
			}
		}
		end(theirs)
	}()
	h := &handover{t: t, r: rand.New(rand.NewPCG(seed, 3)), c: c, last: total}
	names := slices.Sorted(maps.Keys(handoverWays))
	for h.next < total {
		if h.over {
			t.Fatalf("the stream ends with %v after %d of %d messages", h.end, h.next, total)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if h.r.IntN(2) == 0 {
			time.AfterFunc(time.Duration(h.r.IntN(2000))*time.Microsecond, cancel)
		}
		name := names[h.r.IntN(len(names))]
		from := h.next
		h.stop = cancel
		handoverWays[name](h, ctx, 1+h.r.IntN(300))
		t.Logf("%s took messages from %d up to %d, ctx %v, over %v", name, from, h.next, ctx.Err(), h.over)
		cancel()
		if h.r.IntN(4) == 0 {
			time.Sleep(time.Duration(h.r.IntN(5000)) * time.Microsecond)
		}
	}
}
