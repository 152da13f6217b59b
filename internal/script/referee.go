package script

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"unicode/utf8"
)

// A referee holds frames against RFC 6455, in the order in which they come.
// One goroutine uses it.
type referee struct {
	client bool          // the frames come from a client
	rsv    atomic.Uint32 // reserved bits that may be set

	closed  bool   // a Close frame came
	message bool   // a message has begun and not ended
	text    []byte // the message so far, if it is text that can be read
	isText  bool
}

// judge returns the rule that the frame breaks, or "". A Pong may follow a
// Close: it is owed until the peer's Close came (5.5.2).
func (r *referee) judge(f Received) string {
	switch {
	case r.closed && f.Opcode != OpPong:
		return `5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."`
	case r.client && !f.IsMasked:
		return `5.1: "a client MUST mask all frames that it sends to the server"`
	case !r.client && f.IsMasked:
		return `5.1: "A server MUST NOT mask any frames that it sends to the client."`
	case f.RSV&^byte(r.rsv.Load()) != 0:
		return `5.2: RSV1, RSV2, RSV3 "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."`
	case !minimalHeader(f):
		return `5.2: "the minimal number of bytes MUST be used to encode the length"`
	}
	switch f.Opcode {
	case OpClose, OpPing, OpPong:
		return r.control(f)
	case OpContinuation, OpText, OpBinary:
		return r.data(f)
	}
	return "5.2: the opcode is reserved"
}

func minimalHeader(f Received) bool {
	switch n := len(f.Payload); {
	case n > 0xFFFF:
		return len(f.Header) == 10 && f.Header[2]&0x80 == 0
	case n > 125:
		return len(f.Header) == 4
	}
	return len(f.Header) == 2
}

func (r *referee) control(f Received) string {
	if len(f.Payload) > 125 || !f.Fin {
		return `5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."`
	}
	if f.Opcode != OpClose {
		return ""
	}
	r.closed = true
	switch {
	case len(f.Payload) == 0:
		return ""
	case len(f.Payload) == 1:
		return `5.5.1: "the first two bytes of the body MUST be a 2-byte unsigned integer"`
	case !sendable(closeCode(f.Frame)):
		return fmt.Sprintf("7.4: the code %d may not be sent", closeCode(f.Frame))
	case !utf8.Valid(f.Payload[2:]):
		return "5.5.1: the reason is not UTF-8"
	}
	return ""
}

func (r *referee) data(f Received) string {
	if r.message == (f.Opcode != OpContinuation) {
		return `5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message", and each but the first is a continuation`
	}
	if f.Opcode != OpContinuation {
		r.isText, r.text = f.Opcode == OpText && f.RSV == 0, nil
	}
	r.message = !f.Fin
	if !r.isText {
		return ""
	}
	r.text = append(r.text, f.Payload...)
	if f.Fin && !utf8.Valid(r.text) {
		return "5.6: the text message is not UTF-8"
	}
	return ""
}

// closeCode returns the code of a Close frame: 1005 if it has none.
func closeCode(f Frame) int {
	if len(f.Payload) < 2 {
		return 1005
	}
	return int(f.Payload[0])<<8 | int(f.Payload[1])
}

// sendable reports whether a Close frame may carry the code.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-7.4.2
func sendable(code int) bool {
	switch {
	case code < 1000, code >= 5000:
		return false
	case code >= 3000:
		return true
	}
	return code <= 1014 && code != 1004 && code != 1005 && code != 1006
}

// same reports whether the frame is the one that a test wants.
func same(got, want Frame) bool {
	return got.Fin == want.Fin && got.RSV == want.RSV && got.Opcode == want.Opcode &&
		bytes.Equal(got.Payload, want.Payload)
}
