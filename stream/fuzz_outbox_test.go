package stream

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/internal/wire"
)

// A boxModel is what an outbox is for, put plainly: a list of frames, and how much
// of them was written.
type boxModel struct {
	t       *testing.T
	box     outbox
	data    [][]byte // frames that are not written whole, oldest first
	from    int      // bytes of the first of them that were written
	control [][]byte // the same
	cut     int
	ends    []int64 // of the messages
	total   int64   // bytes of data frames so far
	within  bool
	serial  int
}

// payload returns one that no other frame has, where there is room for that.
func (m *boxModel) payload(n int) []byte {
	m.serial++
	p := make([]byte, n)
	copy(p, fmt.Sprint(m.serial))
	return p
}

func plain(h wire.Header, payload []byte) []byte {
	h.Length = int64(len(payload))
	return append(wire.Append(nil, h), payload...)
}

func (m *boxModel) put(n int, last bool) {
	if !m.box.takes() {
		return
	}
	h, p := dataHeader(!m.within, last), m.payload(n)
	m.box.put(h, p)
	m.data = append(m.data, plain(h, p))
	m.total += int64(len(m.data[len(m.data)-1]))
	if m.within = !last; last {
		m.ends = append(m.ends, m.total)
	}
}

func (m *boxModel) ask(n int) {
	p := m.payload(n)
	if m.box.phase < boxFinished && m.box.ask(Ping, p, true) == 0 {
		m.control = append(m.control, plain(wire.Header{Fin: true, Opcode: byte(Ping)}, p))
	}
}

func (m *boxModel) finish() {
	if m.box.phase < boxFinished {
		m.data = append(m.data, plain(wire.Header{Fin: true, Opcode: byte(Close)}, nil))
		m.total += 2
	}
	m.box.finish(nil)
}

// write writes up to n bytes of what is next, and judges them: what was begun goes
// on, control frames come first at the end of a frame, or at the next that is
// remembered, and the order is that of the calls.
func (m *boxModel) write(n int) {
	_, p := m.box.next()
	if p == nil {
		if len(m.data)+len(m.control) > 0 && m.box.phase != boxBroken {
			m.t.Fatalf("nothing is next, of %d data and %d control frames", len(m.data), len(m.control))
		}
		return
	}
	n = min(n, len(p))
	switch {
	case m.cut > 0 || len(m.control) > 0 && m.from == 0 && bytes.HasPrefix(p, m.control[0]):
		m.cut = m.match(&m.control, m.cut, p, n)
	case len(m.control) > 0 && len(p) > m.mayWait():
		m.t.Fatalf("%d bytes are next while a control frame waits", len(p))
	default:
		m.from = m.match(&m.data, m.from, p, n)
	}
	m.box.took(n)
}

// mayWait returns how many bytes of data may be between a control frame and the wire:
// those up to the end of a frame, or of some frames that are small together.
func (m *boxModel) mayWait() int {
	n := len(m.data[0]) - m.from
	for _, f := range m.data[1:] {
		if n += len(f); n > endsApart {
			break
		}
	}
	return max(n, endsApart)
}

// match takes the first n bytes of p off the front of these frames, and holds all of p
// to them. p must end where a frame does.
func (m *boxModel) match(list *[][]byte, from int, p []byte, n int) int {
	for at := 0; at < len(p); {
		if len(*list) == 0 {
			m.t.Fatalf("%d bytes are next that nobody queued", len(p)-at)
		}
		frame := (*list)[0][from:]
		if len(p)-at < len(frame) {
			m.t.Fatalf("what is next ends %d bytes before the end of a frame", len(frame)-len(p)+at)
		}
		if !bytes.Equal(p[at:at+len(frame)], frame) {
			m.t.Fatalf("%q is next, want %q", p[at:at+min(len(frame), 20)], frame[:min(len(frame), 20)])
		}
		if at += len(frame); n < at {
			return m.rest(list, from+len(frame)-(at-n), p[at:])
		}
		*list, from = (*list)[1:], 0
	}
	return 0
}

// rest holds bytes that are not written yet to the frames behind the first.
func (m *boxModel) rest(list *[][]byte, from int, p []byte) int {
	for _, frame := range (*list)[1:] {
		if len(p) == 0 {
			break
		}
		if !bytes.HasPrefix(p, frame) {
			m.t.Fatalf("%q is next, want %q", p[:min(len(p), 20)], frame[:min(len(frame), 20)])
		}
		p = p[len(frame):]
	}
	if len(p) > 0 {
		m.t.Fatalf("%d bytes are next that nobody queued", len(p))
	}
	return from
}

// judge holds the counts to the frames: a message is unsent if a byte of it is.
func (m *boxModel) judge() {
	left := int64(-m.from)
	for _, f := range m.data {
		left += int64(len(f))
	}
	if m.box.queued != m.total || m.box.written != m.total-left {
		m.t.Fatalf("%d of %d bytes are written, want %d of %d", m.box.written, m.box.queued, m.total-left, m.total)
	}
}

// FuzzOutbox puts frames into an outbox and writes parts of what is next, until the
// wire breaks at any byte.
func FuzzOutbox(f *testing.F) {
	f.Add([]byte{0x01, 0x24, 0x13, 0x05})
	f.Add([]byte{0x02, 0x16, 0x02, 0x03, 0x26, 0x01, 0xF5, 0x08})
	f.Add(bytes.Repeat([]byte{0x41, 0x03, 0x46, 0x92, 0x15}, 20))
	f.Add([]byte{0xF2, 0xF2, 0x76, 0x13, 0xF1, 0xF5, 0x07, 0x04, 0x25, 0xF5, 0xF5})
	f.Add([]byte{0x11, 0x11, 0x15, 0x08, 0x01, 0xF5})
	sizes := [16]int{0, 1, 2, 3, 10, 100, 125, 126, 1000, 4000, 5000, 20000, 65535, 65536, 100000, 300000}
	f.Fuzz(func(t *testing.T, events []byte) {
		m := &boxModel{t: t}
		for _, e := range events[:min(len(events), 200)] {
			n := sizes[e>>4]
			switch e & 15 {
			case 0, 1:
				m.put(n, true)
			case 2:
				m.put(n, false)
			case 3, 4:
				m.ask(min(n, wire.MaxControl))
			case 5, 6:
				m.write(n)
			case 7:
				m.finish()
			case 8:
				m.box.fail()
				m.judge()
				if m.box.waiting != nil || !m.box.over() {
					t.Fatal("a broken outbox holds memory")
				}
				return
			}
			m.judge()
		}
		for len(m.data)+len(m.control) > 0 {
			m.write(1 << 20)
		}
		if m.judge(); m.box.written != m.total {
			t.Fatalf("%d of %d bytes were written", m.box.written, m.total)
		}
		if m.box.next(); m.box.waiting != nil {
			t.Fatal("an empty outbox holds memory")
		}
	})
}
