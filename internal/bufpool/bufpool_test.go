package bufpool

import (
	"sync"
	"testing"
)

func TestGetRoundsUpToAClass(t *testing.T) {
	for _, c := range []struct{ ask, get int }{
		{0, 64}, {1, 64}, {64, 64}, {65, 128}, {4096, 4096}, {4097, 5120}, {5121, 6144}, {7169, 8192}, {8192, 8192}, {8193, 10240},
		{64 << 10, 64 << 10}, {65537, 80 << 10}, {MaxPooled - 1, MaxPooled},
		{MaxPooled, MaxPooled}, {MaxPooled + 1, MaxPooled + 1},
	} {
		if b := Get(c.ask); len(b.Mem) != c.get {
			t.Errorf("Get(%d) has %d bytes; want %d", c.ask, len(b.Mem), c.get)
		}
	}
}

// held reports whether somebody holds the buffer.
func held(b *Buffer) bool { return b.refs.Load() > 0 }

func TestATicketCountsOnce(t *testing.T) {
	b := Get(SlabSize)
	var s Slab
	s.Open(b)
	first, second := s.Ticket(), s.Ticket()
	s.Seal()
	b.Release(first)
	b.Release(first)
	if !held(b) {
		t.Fatal("a ticket counted twice")
	}
	b.Release(second)
	if held(b) {
		t.Fatal("the last ticket did not free the buffer")
	}
}

// A ticket of an earlier cycle does nothing, however many cycles lie between:
// 2^20 and 2^32 are where shorter numbers would begin anew.
func TestATicketCountsInItsCycleAlone(t *testing.T) {
	for _, later := range []uint64{1, 1 << 20, 1 << 32, 1<<47 + 1} {
		b := newBuffer(64)
		old := b.Only()
		b.cycle += later - 1
		now := b.Only()
		b.Release(old)
		if !held(b) {
			t.Errorf("a ticket counted %d cycles later", later)
		}
		b.refs.Add(1) // keeps it out of the pool
		b.Release(now)
		if b.refs.Load() != 1 {
			t.Errorf("the ticket of cycle %d did not count", b.cycle)
		}
	}
}

// A slab is free when all its parts are, and it is sealed: whichever is last,
// and however many parts stand in its last word.
func TestASlabIsFreeWithItsLastPart(t *testing.T) {
	for parts := range 3*partsInWord + 1 {
		for _, sealFirst := range []bool{false, true} {
			b := newBuffer(SlabSize)
			b.refs.Store(0)
			var s Slab
			s.Open(b)
			b.refs.Add(1) // keeps it out of the pool
			var tickets []Ticket
			for range parts {
				tickets = append(tickets, s.Ticket())
			}
			if sealFirst {
				s.Seal()
			}
			for i, ticket := range tickets {
				if b.refs.Load() == 1 {
					t.Fatalf("%d parts, sealed first %v: free before part %d", parts, sealFirst, i)
				}
				b.Release(ticket)
			}
			if !sealFirst {
				if parts%partsInWord > 0 && b.refs.Load() == 1 {
					t.Fatalf("%d parts: free before it was sealed", parts)
				}
				s.Seal()
			}
			if got := b.refs.Load(); got != 1 {
				t.Errorf("%d parts, sealed first %v: %d holders are left", parts, sealFirst, got-1)
			}
		}
	}
}

func TestASlabTakesAsManyPartsAsItSays(t *testing.T) {
	var s Slab
	if s.Left() != 0 {
		t.Errorf("no slab has room for %d", s.Left())
	}
	s.Open(newBuffer(SlabSize))
	n := s.Left()
	for range n {
		s.Ticket()
	}
	if n != SlabSize/16 || s.Left() != 0 || s.Parts() != n {
		t.Errorf("%d parts at first, %d issued, %d left", n, s.Parts(), s.Left())
	}
}

func TestTicketsAreReleasedFromManyGoroutines(t *testing.T) {
	b := newBuffer(SlabSize)
	var s Slab
	s.Open(b)
	b.refs.Add(1)
	var all sync.WaitGroup
	for s.Left() > 0 {
		ticket := s.Ticket()
		for range 2 {
			all.Go(func() { b.Release(ticket) })
		}
	}
	s.Seal()
	all.Wait()
	if got := b.refs.Load(); got != 1 {
		t.Errorf("%d holders are left", got-1)
	}
}

// A buffer that was given back is found again under all sizes of its class, and
// under no other.
func TestClassesDoNotOverlap(t *testing.T) {
	last, lastSize := 0, 0
	for n := 1; n <= MaxPooled; n += 1 + n/97 {
		number, size := class(n)
		back, same := class(size)
		if size < n || back != number || same != size {
			t.Fatalf("%d bytes are of class %d of %d bytes, which are of class %d of %d", n, number, size, back, same)
		}
		if number < last || size < lastSize || (number == last) != (size == lastSize) {
			t.Fatalf("class %d of %d bytes comes behind class %d of %d", number, size, last, lastSize)
		}
		last, lastSize = number, size
	}
}
