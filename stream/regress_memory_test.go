package stream

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
)

// burst returns messages of these sizes from an arena.
func burst(a *arena, sizes ...int) (all []Message) {
	for _, n := range sizes {
		own := make([]Message, 1)
		a.own(own, []Message{{Type: Binary, Data: make([]byte, n)}})
		all = append(all, own...)
	}
	return all
}

const slabCount = slabSize / 16 // messages in a slab, at most

// times returns a size n times.
func times(n, size int) (sizes []int) {
	for range n {
		sizes = append(sizes, size)
	}
	return sizes
}

// A slab is free when all of its messages were released, however many it has
// and however small they are.
func TestSlabIsFreeWithItsLastMessage(t *testing.T) {
	tests := map[string][]int{
		"small":            times(20, 10),
		"one":              {10},
		"32":               times(32, 10),
		"empty ones first": append(times(3, 0), times(20, 10)...),
		"empty ones alone": times(20, 0),
		"as many as go":    times(slabCount, 10),
		"as large as go":   times(slabSize/slabMax, slabMax),
	}
	for name, sizes := range tests {
		var a arena
		release(burst(&a, times(slabAfter, 1)...))
		all := burst(&a, sizes...)
		slab := all[0].own
		a.rest()
		for i, m := range all {
			if m.own != slab {
				t.Errorf("%s: message %d is in another slab", name, i)
			}
			if slab.refs.Load() == 0 {
				t.Fatalf("%s: the slab is free before message %d of %d was released", name, i, len(all))
			}
			m.Release()
		}
		if n := slab.refs.Load(); n != 0 {
			t.Errorf("%s: all messages were released, and %d words of the slab are live", name, n)
		}
	}
}

// A message's ticket is of its buffer's cycle, or it could never be released.
func TestTicketsAreOfTheCycle(t *testing.T) {
	var a arena
	sizes := append(times(slabAfter+slabCount, 0), times(slabCount+1, 10)...)
	for i, m := range burst(&a, append(sizes, times(40, slabMax)...)...) {
		word := m.own.live[m.ticket%ticketCount/32].Load()
		if m.ticket>>ticketBits != uint32(word>>32) || word>>(m.ticket&31)&1 == 0 {
			t.Fatalf("the ticket %#x of message %d is none of its buffer's cycle %d", m.ticket, i, m.own.cycle)
		}
	}
}

// "A second Release, also through a copy, does nothing", even when others have
// messages in the memory by then.
func TestSecondReleaseDoesNothing(t *testing.T) {
	// Too large for a pool: nobody else gets it while the test fills it again.
	b := &buffer{mem: make([]byte, 2<<maxClass), live: make([]atomic.Uint64, slabCount/32)}
	for _, count := range []int{1, slabCount, 33, slabCount} {
		old := fill(b, count)
		for _, m := range old {
			m.Release()
		}
		if n := b.refs.Load(); n != 0 {
			t.Fatalf("all of %d tickets came back, %d words are live", count, n)
		}
		fill(b, slabCount) // for others
		for _, m := range old {
			m.Release()
		}
		if n := b.refs.Load(); n != slabCount/32 {
			t.Fatalf("the second Release of %d messages left %d of the next cycle's %d words live", count, n, slabCount/32)
		}
		for i := range b.live {
			if live := uint32(b.live[i].Load()); live != 0xFFFFFFFF {
				t.Fatalf("the second Release of %d messages took tickets of the next cycle: word %d is %#x", count, i, live)
			}
		}
	}
}

// fill makes so many messages the buffer's only holders.
func fill(b *buffer, count int) []Message {
	var s slab
	s.open(b)
	all := make([]Message, count)
	for i := range all {
		all[i] = Message{own: b, ticket: s.ticket()}
	}
	s.seal()
	return all
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
		t.Errorf("the connection holds %d bytes", len(c.r.own.mem))
	}
}

// What a large message is gathered in grows by doubling: appending to it in
// fragments moves it a few times, not with each.
func TestPendingGrowsByDoubling(t *testing.T) {
	var p pending
	defer func() { p.free() }()
	moves := 0
	for range 1024 {
		before := p.own
		p.extend(16 << 10)
		if p.own != before {
			moves++
		}
	}
	if moves > 15 {
		t.Errorf("16 MiB in 1024 fragments were moved %d times", moves)
	}
}

// A buffer that many small batches share has room for some of them alone.
func TestBufferHasRoomForFewBatches(t *testing.T) {
	b := newBuffer(readSize)
	b.begin(1)
	room := 0
	for range 5000 {
		room += cap(b.batch(batchMax))
	}
	if room == 0 || room > batchRoom {
		t.Errorf("the buffer has room for %d messages in batches, want some, and at most %d", room, batchRoom)
	}
}
