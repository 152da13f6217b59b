package stream

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// The header of a data frame: the first of a message or not, the last or not.
func dataHeader(first, last bool) wire.Header {
	h := wire.Header{Fin: last}
	if first {
		h.Opcode = byte(Binary)
	}
	return h
}

// inPhase returns an outbox that has come to a phase.
func inPhase(p boxPhase) *outbox {
	o := new(outbox)
	switch p {
	case boxWithin, boxTorn:
		o.put(dataHeader(true, false), []byte("begun"))
		if p == boxTorn {
			o.tear()
		}
	case boxFinished:
		o.finish(nil)
	case boxBroken:
		o.fail()
	}
	return o
}

// Each event in each phase.
func TestOutboxPhases(t *testing.T) {
	const (
		o    = boxOpen
		w    = boxWithin
		torn = boxTorn
		f    = boxFinished
		b    = boxBroken
	)
	events := []struct {
		name string
		do   func(*outbox) bool
		// after the event, in the order of the phases; what it reports
		after   [5]boxPhase
		reports [5]bool
	}{
		{"a message", func(x *outbox) bool {
			if !x.takes() {
				return false
			}
			x.put(dataHeader(true, true), nil)
			return true
		}, [5]boxPhase{o, o, torn, f, b}, [5]bool{true, true, false, false, false}},
		{"a fragment", func(x *outbox) bool {
			if !x.takes() {
				return false
			}
			x.put(dataHeader(true, false), nil)
			return true
		}, [5]boxPhase{w, w, torn, f, b}, [5]bool{true, true, false, false, false}},
		{"the sender gives up", (*outbox).tear, [5]boxPhase{o, torn, torn, f, b}, [5]bool{false, true, false, false, false}},
		{"the Close frame", func(x *outbox) bool { before := x.queued; x.finish(nil); return x.queued > before }, [5]boxPhase{f, f, f, f, b}, [5]bool{true, true, true, false, false}},
		{"the wire breaks", func(x *outbox) bool { x.fail(); return x.waiting == nil }, [5]boxPhase{b, b, b, b, b}, [5]bool{true, true, true, true, true}},
		{"all is written", func(x *outbox) bool {
			closed := false
			for _, p := x.next(); p != nil; _, p = x.next() {
				closed = x.took(len(p)) || closed
			}
			return closed
		}, [5]boxPhase{o, w, torn, f, b}, [5]bool{false, false, false, true, false}},
		{"a Ping", func(x *outbox) bool { x.answer(nil); return x.waiting != nil && x.waiting.control.gathering.n > 0 },
			[5]boxPhase{o, w, torn, f, b}, [5]bool{true, true, true, true, false}},
	}
	for _, e := range events {
		for p := range boxBroken + 1 {
			x := inPhase(p)
			got := e.do(x)
			if x.phase != e.after[p] || got != e.reports[p] {
				t.Errorf("%s in phase %d: phase %d and %v, want %d and %v", e.name, p, x.phase, got, e.after[p], e.reports[p])
			}
			x.fail()
		}
	}
}

// What is over, and what is not, is told by the phase and by what is lent.
func TestOutboxIsOver(t *testing.T) {
	o := inPhase(boxFinished)
	if o.over() {
		t.Error("over before the Close frame was written")
	}
	_, p := o.next()
	if o.took(len(p) - 1); o.over() {
		t.Error("over with a byte of the Close frame left")
	}
	_, p = o.next()
	if closed := o.took(1); !closed || !o.over() || len(p) != 1 {
		t.Error("not over with the Close frame written")
	}
	o = inPhase(boxWithin)
	_, p = o.next()
	o.fail()
	if o.over() || o.waiting.data.leaving.own == nil {
		t.Error("over, or without memory, while a write is under way")
	}
	if o.took(len(p)); !o.over() || o.written != o.queued || o.waiting != nil {
		t.Errorf("the write that was under way does not count: %d of %d bytes are written", o.written, o.queued)
	}
}

// drained writes everything, size bytes at a time, and returns it.
func drained(o *outbox, size int) string {
	var all []byte
	for _, p := o.next(); p != nil; _, p = o.next() {
		n := min(size, len(p))
		all = append(all, p[:n]...)
		o.took(n)
	}
	return string(all)
}

// Control frames overtake data between messages and between fragments, and
// nowhere else, wherever a write stopped.
func TestOutboxOvertaking(t *testing.T) {
	frame := func(h wire.Header, n int, c byte) []byte {
		h.Length = int64(n)
		return append(wire.Append(nil, h), bytes.Repeat([]byte{c}, n)...)
	}
	const size = 5000 // so that each end is remembered
	first, second := dataHeader(true, false), dataHeader(false, true)
	a, b := frame(first, size, 'a'), frame(second, size, 'b')
	ping := string(frame(wire.Header{Fin: true, Opcode: byte(Ping)}, 1, 'x'))
	for stop := range len(a) + len(b) + 1 {
		o := new(outbox)
		o.put(first, a[len(a)-size:])
		o.put(second, b[len(b)-size:])
		_, p := o.next()
		got := string(p[:stop])
		o.took(stop)
		o.ask(Ping, []byte("x"), true)
		got += drained(o, 1000)
		want := string(a) + string(b)
		switch {
		case stop == 0:
			want = ping + want
		case stop <= len(a):
			want = string(a) + ping + string(b)
		default:
			want += ping
		}
		if got != want {
			t.Fatalf("after %d bytes the ping went to %d, want %d", stop, strings.Index(got, ping), strings.Index(want, ping))
		}
	}
}

// One write is about writeSize, so that a control frame does not wait for all that
// has gathered.
func TestOutboxCutsWrites(t *testing.T) {
	o := new(outbox)
	for range 100 {
		o.put(dataHeader(true, true), make([]byte, 10<<10))
	}
	_, p := o.next()
	if n := len(p); n < writeSize || n > writeSize+10<<10+wire.MaxHeader {
		t.Errorf("the first write has %d bytes", n)
	}
	o.took(len(p))
	o.ask(Pong, []byte("now"), true)
	if _, p = o.next(); len(p) != 5 {
		t.Errorf("%d bytes are next, want those of the pong", len(p))
	}
	o.took(len(p))
	o.fail()
}

// Data waits once there is enough of it, not counting what is being written.
func TestOutboxRoom(t *testing.T) {
	o := new(outbox)
	o.put(dataHeader(true, true), make([]byte, roomLimit-wire.MaxHeader))
	if !o.roomy() {
		t.Error("no room before the limit")
	}
	o.put(dataHeader(true, true), make([]byte, wire.MaxHeader))
	if o.roomy() {
		t.Error("room at the limit")
	}
	_, p := o.next()
	if !o.roomy() {
		t.Error("no room beside what is being written")
	}
	o.took(len(p))
	o.fail()
}

// "MAY elect to send a Pong frame for only the most recently processed Ping frame":
// where many control frames wait, and there alone.
func TestOutboxLatestPong(t *testing.T) {
	for _, few := range []bool{true, false} {
		o := new(outbox)
		n := 10
		if !few {
			n = 10000
		}
		for i := range n {
			o.answer(fmt.Appendf(nil, "%05d", i))
		}
		var pongs []string
		for all := drained(o, 1<<20); all != ""; all = all[7:] {
			if Type(all[0]&0xF) != Pong || all[1] != 5 {
				t.Fatalf("%q is no pong", all[:7])
			}
			pongs = append(pongs, all[2:7])
		}
		last := len(pongs) - 1
		switch {
		case few && len(pongs) != n, !few && len(pongs) > pongLimit/7+2:
			t.Errorf("%d pings have %d pongs", n, len(pongs))
		case o.counts.pongs != uint64(len(pongs)):
			t.Errorf("%d of %d pongs were counted", o.counts.pongs, len(pongs))
		case pongs[last] != fmt.Sprintf("%05d", n-1):
			t.Errorf("the last pong of %d is %s", n, pongs[last])
		case !slices.IsSorted(pongs):
			t.Error("the pongs are out of order")
		}
	}
}

// An operator's control frames are refused once too many wait.
func TestOutboxControlLimit(t *testing.T) {
	o := new(outbox)
	taken := 0
	for o.ask(Ping, make([]byte, 100), true) == 0 {
		if taken++; taken > controlLimit/100+1 {
			t.Fatalf("%d bytes of control frames are taken", 100*taken)
		}
	}
	if taken < controlLimit/102 {
		t.Errorf("%d bytes of control frames are refused", 102*taken)
	}
	drained(o, 1<<20)
	if o.ask(Ping, nil, true) != 0 || o.ask(Pong, nil, true) != 0 {
		t.Error("a control frame is refused with none waiting")
	}
	if o.counts != (outboundCounts{pings: uint64(taken) + 1, pongs: 1}) {
		t.Errorf("counted are %+v, of %d Pings and a Pong", o.counts, taken+1)
	}
	o.fail()
}

// A client's frames are masked, each with a key of its own.
func TestOutboxMasks(t *testing.T) {
	o := &outbox{masks: true}
	keys := make(map[uint32]bool)
	const frames = 1000
	for range frames {
		o.put(dataHeader(true, true), []byte("payload"))
	}
	o.answer([]byte("pong"))
	for p := []byte(drained(o, 1<<20)); len(p) > 0; {
		h, n, err := wire.Parse(p)
		if err != nil || !h.Masked {
			t.Fatalf("%v, masked %v", err, h.Masked)
		}
		keys[h.Key] = true
		payload := p[n : n+int(h.Length)]
		wire.Mask(payload, payload, h.Key)
		if s := string(payload); s != "payload" && s != "pong" {
			t.Fatalf("the payload is %q", s)
		}
		p = p[n+int(h.Length):]
	}
	if len(keys) != frames+1 {
		t.Errorf("%d frames have %d keys", frames+1, len(keys))
	}
}
