//go:build !race

// As in alloc_test.go, whose endless peer it needs.

package stream_test

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
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

// What an idle connection costs more in a Relay than alone, in a loop over All: no
// goroutine, and little memory.
func TestMemoryOfIdleRelays(t *testing.T) {
	const connections, most = 400, 2300
	heap := func(relay bool) int64 {
		var peers []net.Conn
		_, before := inUse()
		for range connections {
			ours, theirs := sockets(t)
			peers = append(peers, theirs)
			var src stream.Source = withHeartbeat(t, ours)
			if relay {
				r, f := stream.NewRelay(nil)
				if _, err := f.Join(src, &stream.JoinOptions{Ended: f.End}); err != nil {
					t.Fatal(err)
				}
				src = r
			}
			go func() { // until the connection ends
				for range src.All(ctx) {
				}
			}()
		}
		time.Sleep(1200 * time.Millisecond) // nothing is read ahead any more
		_, after := inUse()
		runtime.KeepAlive(peers)
		return (after - before) / connections
	}
	alone := heap(false)
	goroutines := runtime.NumGoroutine()
	joined := heap(true)
	t.Logf("alone %d, joined %d, %d more goroutines", alone, joined, runtime.NumGoroutine()-goroutines-connections)
	if joined > alone+most {
		t.Errorf("an idle connection takes %d bytes alone, %d in a Relay", alone, joined)
	}
}
