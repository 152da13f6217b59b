package stream

import (
	"reflect"
	"testing"
)

// A hand takes as many messages as it was opened for, and holds none when it was shut:
// it may lie in a pool for long.
func TestHandHoldsNothingWhenItIsShut(t *testing.T) {
	f := &fanout{}
	h := f.open(3)
	for _, m := range texts("a", "b", "c") {
		h.add(m, nil)
	}
	if h = f.open(2); h.n != 0 || h.bytes != 0 {
		t.Errorf("a hand that is opened holds %d messages of %d bytes", h.n, h.bytes)
	}
	if more := h.add(texts("dd")[0], nil); !more {
		t.Error("it has room for two, and takes one")
	}
	if more := h.add(texts("ee")[0], nil); more || h.n != 2 || h.bytes != 4 {
		t.Errorf("it has room for two, and more %t behind %d of %d bytes", more, h.n, h.bytes)
	}
	f.shut()
	if f.hand != nil || h.messages != nil {
		t.Error("the hand is not shut")
	}
	for i := range h.own {
		if !reflect.DeepEqual(h.own[i], Message{}) {
			t.Errorf("it still holds message %d: %q", i, h.own[i])
		}
	}
	if h := f.open(10 * handMax); h.most != handMax {
		t.Errorf("it takes up to %d messages, and has room for %d", h.most, handMax)
	}
	f.shut()
}

// The guess follows what comes: up at once, and down by halves.
func TestGuess(t *testing.T) {
	var g guess
	for _, step := range []struct {
		n, most int
		want    guess
	}{{10, 64, 10}, {64, 64, 128}, {1, 256, 64}, {1, 256, 32}, {40, 256, 40}} {
		if g = g.after(step.n, step.most); g != step.want {
			t.Errorf("after %d of at most %d it is %d, want %d", step.n, step.most, g, step.want)
		}
	}
	for g, want := range map[guess]int{0: batchMax / 4, batchMax / 4: batchMax / 4, batchMax/4 + 1: batchMax, batchMax: batchMax} {
		if got := g.room(); got != want {
			t.Errorf("a guess of %d takes room for %d, want %d", g, got, want)
		}
	}
}
