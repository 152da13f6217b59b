//go:build !race

// Under the race detector pools forget on purpose, which shows as allocations.

package stream_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/wsflow/wsflow/heartbeat"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// An endless peer repeats its bytes for ever, and takes everything.
type endless struct {
	frames []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.frames[e.at:])
	e.at = (e.at + n) % len(e.frames)
	return n, nil
}

func (e *endless) Write(p []byte) (int, error) { return len(p), nil }
func (e *endless) Close() error                { return nil }

// transports are what a connection may lie on: something that knows no
// deadlines, and a socket.
var transports = []struct {
	name string
	make func(t *testing.T, frames []byte) io.ReadWriteCloser
}{
	{"reader", func(_ *testing.T, frames []byte) io.ReadWriteCloser { return &endless{frames: frames} }},
	{"socket", func(t *testing.T, frames []byte) io.ReadWriteCloser {
		ours, theirs := sockets(t)
		go io.Copy(io.Discard, theirs)                     // until theirs is closed
		go io.Copy(theirs, &endlessReader{frames: frames}) // the same
		return ours
	}},
}

type endlessReader endless

func (e *endlessReader) Read(p []byte) (int, error) { return (*endless)(e).Read(p) }

// withHeartbeat starts a client as dial does for a server without extensions.
func withHeartbeat(t *testing.T, rwc io.ReadWriteCloser) *stream.Conn {
	t.Helper()
	c, err := stream.New(rwc, stream.Client, &stream.Options{Operators: []stream.Operator{heartbeat.New(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.CloseNow(nil) })
	return c
}

// A message that All lends costs no allocation, whatever its size and however
// it is cut.
func TestAllocationsOfAll(t *testing.T) {
	p := script.Client(t, nil) // for its bytes
	large := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	for name, frames := range map[string][]byte{
		"small binary": p.Bytes(script.Binary("0123456789abcdef")),
		"small text":   p.Bytes(script.Text("grün 0123456789abcdef")),
		"empty":        p.Bytes(script.Text("")),
		"large":        p.Bytes(script.Binary(string(large))),
		"in fragments": p.Bytes(script.Text("one ").Open(), script.More("two "), script.Last("three")),
	} {
		for _, tr := range transports {
			t.Run(name+", "+tr.name, func(t *testing.T) {
				c := withHeartbeat(t, tr.make(t, frames))
				taken := 0
				allocations := testing.AllocsPerRun(20, func() {
					n := 0
					for _, err := range c.All(ctx) {
						if err != nil {
							t.Fatal(err)
						}
						if n++; n == 200 {
							break
						}
					}
					taken += n
				})
				// What a loop costs is a few; 200 messages must not show.
				if allocations > 20 {
					t.Errorf("200 messages cost %v allocations", allocations)
				}
				if taken != 4200 {
					t.Errorf("%d messages came", taken)
				}
			})
		}
	}
}

// A small message that is sent costs no allocation.
func TestAllocationsOfSend(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			c := withHeartbeat(t, tr.make(t, []byte{0x8A, 0}))
			data := bytes.Repeat([]byte("x"), 64)
			allocations := testing.AllocsPerRun(1000, func() {
				if err := c.SendBinary(ctx, data); err != nil {
					t.Fatal(err)
				}
				if err := c.SendText(ctx, "a text of a few words"); err != nil {
					t.Fatal(err)
				}
			})
			if allocations > 0 {
				t.Errorf("two messages cost %v allocations", allocations)
			}
		})
	}
}

// A hearer is an operator that tells of each control frame.
type hearer struct{ *sync.WaitGroup }

func (h hearer) Attach(*stream.Link) (stream.Hooks, error) {
	return stream.Hooks{Control: func(stream.Frame) error { h.Done(); return nil }}, nil
}

// An idle connection has one goroutine, with a stack of 2 KiB, however its messages
// are taken, and whoever receives from a channel has another such. A loop over All
// keeps its own when a message and a Pong come. The bounds leave room for what else the
// process does and for the other end, but none for stacks of 4 KiB, for buffers, for a
// context of each subscription, for a header's map, nor for a channel of more than the
// queue.
func TestMemoryOfIdleConnections(t *testing.T) {
	const connections = 300
	header := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}
	for _, face := range []struct {
		name              string
		talks             bool
		maxStack, maxHeap int64
		take              func(c *stream.Conn)
	}{
		{"All", true, 3200, 3850, func(c *stream.Conn) {
			for range c.All(ctx) {
			}
		}},
		{"Chan", false, 5300, 4600 + 64*64, func(c *stream.Conn) {
			for range c.Chan(ctx, nil).C {
			}
		}},
		{"Batches", false, 5300, 4500, func(c *stream.Conn) {
			for range c.Batches(ctx, nil).C {
			}
		}},
		{"callbacks", false, 3200, 3850, func(c *stream.Conn) { c.OnBinary(func([]byte) {}) }},
	} {
		t.Run(face.name, func(t *testing.T) {
			var heard sync.WaitGroup
			operators := []stream.Operator{heartbeat.New(nil), hearer{&heard}}
			stackBefore, heapBefore := inUse()
			for range connections {
				c, _, peer := overSockets(t, &stream.Options{Operators: operators, Header: maps.Clone(header)})
				go face.take(c) // until the connection ends
				if face.talks {
					heard.Add(1)
					peer.Write([]byte{0x82, 1, 'x', 0x8A, 0})
				}
			}
			heard.Wait()
			polled(t)
			stack, heap := inUse()
			stack, heap = (stack-stackBefore)/connections, (heap-heapBefore)/connections
			t.Logf("%d bytes of stack and %d of heap", stack, heap)
			if stack > face.maxStack {
				t.Errorf("an idle connection takes %d bytes of stack, want up to %d", stack, face.maxStack)
			}
			if heap > face.maxHeap {
				t.Errorf("both ends of an idle connection take %d bytes of heap, want up to %d", heap, face.maxHeap)
			}
		})
	}
}

// inUse returns the memory in use, once what pools hold was collected.
func inUse() (stack, heap int64) {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse), int64(m.HeapAlloc)
}
