//go:build !race

// As in alloc_test.go, whose endless peer it needs.

package stream_test

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// BenchmarkAll compares a loop over a connection with one over a Relay of it, and of
// that Relay in another one.
func BenchmarkAll(b *testing.B) {
	for _, size := range []int{16, 64, 512} {
		p := script.Client(b, nil)
		frames := p.Bytes(script.Binary(string(bytes.Repeat([]byte("x"), size))))
		frames = bytes.Repeat(frames, 64<<10/len(frames))
		for depth, name := range []string{"Conn", "Relay", "Relay of Relay"} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				c, err := stream.New(&endless{frames: frames}, stream.Client, nil)
				if err != nil {
					b.Fatal(err)
				}
				defer c.CloseNow(nil)
				var src stream.Source = c
				for range depth {
					r, f := stream.NewRelay(nil)
					if _, err := f.Join(src, &stream.JoinOptions{}); err != nil {
						b.Fatal(err)
					}
					src = r
				}
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					for m, err := range src.All(ctx) {
						if err != nil {
							b.Fatal(err)
						}
						if n += len(m.Data); n >= 10000*size {
							n = 0
							break
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/message")
			})
		}
	}
}

// A message that a Relay of one connection lends to All costs no allocation, as one of
// the connection does: what a loop costs does not grow with its messages.
func TestAllocationsOfAllOfARelay(t *testing.T) {
	p := script.Client(t, nil) // for its bytes
	for name, frames := range map[string][]byte{
		"small":        p.Bytes(script.Text("0123456789abcdef")),
		"large":        p.Bytes(script.Binary(string(bytes.Repeat([]byte("x"), 64<<10)))),
		"in fragments": p.Bytes(script.Text("one ").Open(), script.Last("two")),
	} {
		for _, tr := range transports {
			t.Run(name+", "+tr.name, func(t *testing.T) {
				r, f := stream.NewRelay(nil)
				if _, err := f.Join(withHeartbeat(t, tr.make(t, frames)), &stream.JoinOptions{}); err != nil {
					t.Fatal(err)
				}
				loop := func(most int) float64 {
					return testing.AllocsPerRun(20, func() {
						n := 0
						for m, err := range r.All(ctx) {
							if err != nil || m.Origin() == nil {
								t.Fatal(m.Origin(), err)
							}
							if n++; n == most {
								break
							}
						}
					})
				}
				if few, many := loop(10), loop(410); many > few+20 {
					t.Errorf("10 messages cost %v allocations, 410 cost %v", few, many)
				}
			})
		}
	}
}

// endedGoroutines lets so many goroutines run at once and end. The runtime keeps
// their descriptors, which lie on the heap, and uses them again. Otherwise a heap would
// be larger by those of all goroutines that ever ran at once, which are more on a busy
// machine.
func endedGoroutines(n int) {
	var all sync.WaitGroup
	end := make(chan struct{})
	for range n {
		all.Go(func() { <-end })
	}
	close(end)
	all.Wait()
}

// What an idle connection costs more in a Relay than alone, in a loop over All: a
// kilobyte, no goroutine, and no larger stack. A member of a group takes one goroutine
// with a stack of 2 KiB, and in all no more than 7.5 KB; the heap has the other end of
// the connection as well.
func TestMemoryOfIdleRelays(t *testing.T) {
	const connections, more, group, maxStack = 400, 1200, 7500, 3200
	const descriptor = 480           // of a goroutine, more or less, on the heap
	endedGoroutines(6 * connections) // one a connection of each kind, and one that looks ahead
	var peers []net.Conn
	loops := func(src stream.Source) {
		go func() { // until the connection ends
			for range src.All(ctx) {
			}
		}()
	}
	join := func(f *stream.Feeder, src stream.Source, o *stream.JoinOptions) {
		if _, err := f.Join(src, o); err != nil {
			t.Fatal(err)
		}
	}
	idle := func(name string, take func(stream.Source)) (heap int64) {
		stackBefore, heapBefore := inUse()
		goroutines := runtime.NumGoroutine()
		for range connections {
			ours, theirs := sockets(t)
			peers = append(peers, theirs)
			take(withHeartbeat(t, ours))
		}
		time.Sleep(1200 * time.Millisecond) // nothing is read ahead any more
		stack, heap := inUse()
		stack, heap = (stack-stackBefore)/connections, (heap-heapBefore)/connections
		t.Logf("%s: %d bytes of heap, %d of stack", name, heap, stack)
		if stack > maxStack {
			t.Errorf("%s: an idle connection takes %d bytes of stack, want up to %d", name, stack, maxStack)
		}
		if n := runtime.NumGoroutine() - goroutines; n > connections {
			t.Errorf("%s: %d goroutines have %d connections", name, n, connections)
		}
		return heap
	}
	r, f := stream.NewRelay(nil)
	sub := r.Batches(ctx, nil)
	defer sub.Cancel()
	member := idle("in one Relay all", func(src stream.Source) { join(f, src, &stream.JoinOptions{}) })
	if most := int64(group - 2048 - descriptor); member > most {
		t.Errorf("an idle member takes %d bytes of heap, want up to %d", member, most)
	}
	alone := idle("alone", loops)
	joined := idle("in a Relay each", func(src stream.Source) {
		r, f := stream.NewRelay(nil)
		join(f, src, &stream.JoinOptions{Ended: f.End})
		loops(r)
	})
	if joined > alone+more {
		t.Errorf("an idle connection takes %d bytes alone, %d in a Relay", alone, joined)
	}
	runtime.KeepAlive(peers)
}
