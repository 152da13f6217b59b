package stream

import (
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// After a failure at any byte, a message is unsent if and only if the kernel lacks a
// byte of it, be it in one frame or in fragments.
func TestAcceptedAfterAFailureAtAnyByte(t *testing.T) {
	sizes := []int{0, 1, 126, 3, 0, 40}
	const fragment = 20
	for at := 0; ; at++ {
		var o outbox
		a := new(accepted)
		var ends []int64
		for i, size := range sizes {
			data := make([]byte, size)
			for n := size; n > fragment; n -= fragment {
				o.put(dataHeader(n == size, false), data[:fragment])
				o.ask(Ping, nil, true) // is not counted
			}
			o.put(wire.Header{Fin: true}, data[:min(size, fragment)])
			a.add(Message{Type: Type(i + 1), Data: data}, o.queued)
			ends = append(ends, o.queued)
		}
		for o.written < int64(at) {
			_, p := o.next()
			n := len(p)
			if o.waiting.lent == &o.waiting.data {
				n = min(n, at-int(o.written))
			}
			o.took(n)
		}
		o.fail()
		var want, got []Type
		for i, end := range ends {
			if end > int64(at) {
				want = append(want, Type(i+1))
			}
		}
		a.release(o.written)
		for _, m := range a.settle() {
			got = append(got, m.Type)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("after %d bytes %v are unsent, want %v", at, got, want)
		}
		if int64(at) == o.queued {
			return
		}
	}
}

// What is kept is counted, and forgotten once it was written.
func TestAcceptedReleases(t *testing.T) {
	a := new(accepted)
	for i := range 100 {
		a.add(Message{Data: make([]byte, i)}, int64(i+1))
	}
	for i := range 100 {
		if a.first() != int64(i+1) {
			t.Fatalf("the first ends at %d, want %d", a.first(), i+1)
		}
		a.release(int64(i + 1))
		want := 0
		for left := i + 1; left < 100; left++ {
			want += left + acceptedSize
		}
		if a.size != want {
			t.Errorf("%d bytes are kept behind %d, want %d", a.size, i+1, want)
		}
	}
	if len(a.all) != 0 {
		t.Errorf("room for %d messages is taken", len(a.all))
	}
}
