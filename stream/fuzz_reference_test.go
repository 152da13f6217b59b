package stream_test

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/wsflow/wsflow/stream"
)

// A reference reads a peer's bytes as RFC 6455 words it, all of them at once
// and with no thought of speed. It shares no code with what it judges.
type reference struct {
	server bool // the role of the one who reads
	owned  byte // reserved bits that an operator owns
	all    bool // an operator wants every message
	whole  bool // messages are assembled, so that the limit counts
	limit  int
}

// role returns the role of the one who reads.
func (r reference) role() stream.Role {
	if r.server {
		return stream.Server
	}
	return stream.Client
}

// An ending is how a connection ends that only the peer's bytes end. The zero
// ending is a cut: no more bytes, and no Close frame.
type ending struct {
	breach int // the code that the peer is told
	code   int // of the peer's Close frame, 1005 if it has none
	reason string
}

// A refFrame is a frame of which the header is whole, and what there is of its
// payload.
type refFrame struct {
	fin     bool
	rsv     byte
	opcode  byte
	claimed uint64
	payload []byte
}

func (f refFrame) whole() bool { return uint64(len(f.payload)) == f.claimed }

// frames cuts the bytes into frames, up to the one that ends the connection.
// This is what can be said without knowing what the frames are for.
func (r reference) frames(b []byte) (frames []refFrame, end ending) {
	for {
		f, rest, ok, breach := r.frame(b)
		if !ok {
			return frames, ending{breach: breach}
		}
		frames = append(frames, f)
		if f.opcode == 8 && f.whole() {
			return frames, closes(f.payload)
		}
		if !f.whole() {
			return frames, ending{}
		}
		b = rest
	}
}

// frame takes the first frame; ok is false if there is none.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
func (r reference) frame(b []byte) (f refFrame, rest []byte, ok bool, breach int) {
	if len(b) < 2 {
		return f, nil, false, 0
	}
	f = refFrame{fin: b[0]&0x80 != 0, rsv: b[0] >> 4 & 7, opcode: b[0] & 15, claimed: uint64(b[1] & 127)}
	masked, b := b[1]&0x80 != 0, b[2:]
	if extended := map[uint64]int{126: 2, 127: 8}[f.claimed]; extended > 0 {
		if len(b) < extended {
			return f, nil, false, 0
		}
		f.claimed = 0
		for _, c := range b[:extended] {
			f.claimed = f.claimed<<8 | uint64(c)
		}
		b = b[extended:]
		if least := map[int]uint64{2: 126, 8: 65536}[extended]; f.claimed < least || f.claimed >= 1<<63 {
			return f, nil, false, 1002
		}
	}
	key := make([]byte, 4)
	if masked {
		if len(b) < 4 {
			return f, nil, false, 0
		}
		key, b = b[:4], b[4:]
	}
	if masked != r.server || f.forbidden() {
		return f, nil, false, 1002
	}
	for i := 0; i < len(b) && uint64(i) < f.claimed; i++ {
		f.payload = append(f.payload, b[i]^key[i%4])
	}
	return f, b[len(f.payload):], true, 0
}

// forbidden reports what no frame may be, whatever went before it.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5
func (f refFrame) forbidden() bool {
	if !slices.Contains([]byte{0, 1, 2, 8, 9, 10}, f.opcode) {
		return true
	}
	return f.opcode >= 8 && (!f.fin || f.rsv != 0 || f.claimed > 125)
}

// closes says what a Close frame makes of the connection.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4
func closes(payload []byte) ending {
	if len(payload) == 0 {
		return ending{code: 1005}
	}
	if len(payload) == 1 {
		return ending{breach: 1002}
	}
	code := int(payload[0])<<8 | int(payload[1])
	never := []int{1004, 1005, 1006}
	if code < 1000 || code > 4999 || code > 1014 && code < 3000 || slices.Contains(never, code) {
		return ending{breach: 1002}
	}
	if !utf8.Valid(payload[2:]) {
		return ending{breach: 1007}
	}
	return ending{code: code, reason: string(payload[2:])}
}

// A refMessage is a message under way.
type refMessage struct {
	stream.Message
	plain bool // no operator wants it
}

// messages puts the frames together, up to a frame that breaks a message: then
// breaches are the codes of which the peer is told one.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.4
func (r reference) messages(frames []refFrame) (messages []stream.Message, open bool, breaches []int) {
	var m *refMessage
	for _, f := range frames {
		if f.opcode >= 8 {
			continue
		}
		if (f.opcode == 0) == (m == nil) || f.opcode == 0 && f.rsv != 0 || f.rsv&^r.owned != 0 {
			return messages, m != nil, []int{1002}
		}
		if m == nil {
			m = &refMessage{plain: !r.all && f.rsv == 0}
			m.Type = stream.Type(f.opcode)
		}
		if breaches := r.extend(m, f); breaches != nil {
			return messages, true, breaches
		}
		if f.fin && f.whole() {
			messages = append(messages, m.Message)
			m = nil
		}
	}
	return messages, m != nil, nil
}

// extend adds a frame to its message. Of a message that no operator wants, the
// header already tells whether it gets too big. Of others the pieces tell; what
// is wrong with two of them may be found in either order.
func (r reference) extend(m *refMessage, f refFrame) (breaches []int) {
	limited := r.whole && r.limit >= 0
	if limited && m.plain && uint64(len(m.Data))+f.claimed > uint64(r.limit) {
		return []int{1009}
	}
	m.Data = append(m.Data, f.payload...)
	if limited && !m.plain && len(m.Data) > r.limit {
		breaches = append(breaches, 1009)
	}
	if m.Type == stream.Text && (impossible(m.Data) || f.fin && f.whole() && !utf8.Valid(m.Data)) {
		breaches = append(breaches, 1007)
	}
	return breaches
}

// impossible reports that no bytes after p make it valid UTF-8.
func impossible(p []byte) bool {
	for len(p) > 0 {
		c, n := utf8.DecodeRune(p)
		if c == utf8.RuneError && n == 1 {
			return utf8.FullRune(p)
		}
		p = p[n:]
	}
	return false
}

// A verdict is what must come of a peer's bytes.
type verdict struct {
	messages []stream.Message
	open     bool     // the end comes inside a message
	broken   bool     // a message is broken
	controls []string // the control frames, up to the one that ends the connection
	ends     []ending // of which one must be
}

// read judges the bytes. A consumer that is always there finds out first what
// is broken. For one that is away, frames alone are looked at meanwhile: a
// frame may end the connection before a message in front of it turns out to be
// broken. The same happens once nothing can be written, which a Pong that comes
// to a cut finds out.
func (r reference) read(b []byte, away, cutAtOnce bool) (v verdict) {
	frames, end := r.frames(b)
	var breaches []int
	v.messages, v.open, breaches = r.messages(frames)
	v.broken = len(breaches) > 0
	for _, code := range breaches {
		v.ends = append(v.ends, ending{breach: code})
	}
	pinged := false
	for _, f := range frames {
		if f.opcode >= 8 && f.whole() {
			v.controls = append(v.controls, fmt.Sprintf("%v %s", stream.Type(f.opcode), f.payload))
			pinged = pinged || f.opcode == 9
		}
	}
	if !v.broken || away || cutAtOnce && pinged {
		v.ends = append(v.ends, end)
	}
	return v
}
