package stream

import (
	"bytes"
	"context"
	"net"
	"testing"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// burst returns messages of these sizes from an arena.
func burst(a *arena, sizes ...int) (all []Message) {
	for i, n := range sizes {
		own := make([]Message, 1)
		a.own(own, []Message{{Type: Binary, Data: bytes.Repeat([]byte{byte(i)}, n)}})
		all = append(all, own...)
	}
	return all
}

// times returns a size n times.
func times(n, size int) (sizes []int) {
	for range n {
		sizes = append(sizes, size)
	}
	return sizes
}

// Messages of a burst lie in few slabs, each with its own bytes, and each can be
// released, once: the slabs go round then.
func TestMessagesOfABurstShareSlabs(t *testing.T) {
	const count = bufpool.SlabSize / 16 // messages in a slab, at most
	tests := map[string]struct {
		sizes []int
		slabs int
	}{
		"small":             {times(20, 10), 1},
		"one":               {[]int{10}, 1},
		"empty ones first":  {append(times(3, 0), times(20, 10)...), 1},
		"empty ones alone":  {times(20, 0), 1},
		"as many as go":     {times(count, 10), 1},
		"one too many":      {times(count+1, 10), 2},
		"as large as go":    {times(bufpool.SlabSize/slabMax, slabMax), 1},
		"one byte too many": {append(times(bufpool.SlabSize/slabMax, slabMax), 1), 2},
		"one too large":     {[]int{10, slabMax + 1, 10}, 2},
	}
	for name, test := range tests {
		var a arena
		for _, m := range burst(&a, times(slabAfter, 1)...) {
			m.Release()
		}
		all := burst(&a, test.sizes...)
		a.rest()
		slabs := map[*bufpool.Buffer]bool{}
		for i, m := range all {
			slabs[m.own] = true
			if want := bytes.Repeat([]byte{byte(i)}, test.sizes[i]); !bytes.Equal(m.Data, want) || cap(m.Data) != len(m.Data) {
				t.Errorf("%s: message %d has %d bytes, room for %d, want %d, its own", name, i, len(m.Data), cap(m.Data), test.sizes[i])
			}
		}
		if len(slabs) != test.slabs {
			t.Errorf("%s: %d slabs, want %d", name, len(slabs), test.slabs)
		}
		before := bufpool.Lent()
		for range 2 {
			release(all)
		}
		if got := before - bufpool.Lent(); raceDetector && got != int64(test.slabs) {
			t.Errorf("%s: %d buffers came back, want %d", name, got, test.slabs)
		}
	}
}

// A loop that ends with nothing left to parse gives its buffer back.
func TestLoopGivesItsBufferBack(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c, err := New(ours, Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow(nil)
	go theirs.Write([]byte{0x81, 1, 'x'})
	for range c.All(context.Background()) {
		break
	}
	c.r.acquire(context.Background())
	defer c.r.release()
	if c.r.own != nil {
		t.Errorf("the connection holds %d bytes", len(c.r.own.Mem))
	}
}
