package stream

import (
	"fmt"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

const (
	// largeFrame is the least payload, in bytes, behind which not much is read:
	// what came of the next one has to be moved.
	largeFrame = 32 << 10

	// inPlace is the largest payload that is read whole into a buffer. A larger
	// one is read to where its message will lie.
	inPlace = 512 << 10
)

// A frame is the state of parsing between two pieces.
type frame struct {
	typ    Type // of the message under way, zero between messages
	rsv    byte // of its first frame
	open   bool // a frame's payload is under way
	begin  bool // nothing of the open frame was handed on yet
	first  bool // nothing of the message was handed on yet
	fin    bool // the open frame ends the message
	plain  bool // no operator wants the message
	direct bool // its payload is read to where the message will lie
	text   wire.UTF8
	key    uint32 // mask of the byte after those that are ready
	left   int64  // payload bytes of the open frame not handed on yet
	ready  int    // bytes from pos on that are unmasked and validated
}

// begun reports whether something of a message was parsed, or is still to come
// out of an operator.
func (in *inbound) begun() bool { return in.frame.typ != 0 || in.chain.more != 0 }

// header returns the frame header at the parse cursor and its size, 0 while it
// is not all there.
func (in *inbound) header() (wire.Header, int, error) {
	return in.parse(in.buf[in.pos:in.end])
}

// parse returns the frame header at the front of p and its size, 0 while it is
// not all there.
func (in *inbound) parse(p []byte) (h wire.Header, n int, err error) {
	h, n, err = wire.Parse(p)
	switch {
	case err != nil:
		err = protocolError("%v", err)
	case n > 0:
		err = in.checkHeader(h)
	}
	return h, n, err
}

func protocolError(format string, args ...any) error {
	return &result.ProtocolError{Code: result.StatusProtocolError, What: fmt.Sprintf(format, args...)}
}

// piece returns the next piece of the open data frame, if it is there: as much
// as is at hand, or all of a frame that is not too large where the consumer
// assembles whole messages and no operator wants this one. Otherwise it says how many bytes from the
// parse cursor on are wanted. A frame that was read to where its message lies
// ends with an empty piece.
func (in *inbound) piece() (f Frame, want int, err error) {
	if err := in.prepare(); err != nil {
		return f, 0, err
	}
	least := min(in.frame.left, 1)
	if in.assemble && !in.msg.skip && in.frame.plain && !in.frame.direct && in.frame.left <= inPlace {
		least = in.frame.left
	}
	if int64(in.frame.ready) < least {
		return f, int(least), nil
	}
	return in.cut(), 0, nil
}

// prepare unmasks and validates those bytes of the open frame that are at hand
// and were not yet.
func (in *inbound) prepare() error {
	if p := in.msg.fresh(); len(p) > 0 {
		if err := in.validate(p); err != nil {
			return err
		}
	}
	f := &in.frame
	at := int(min(int64(in.end-in.pos), f.left))
	p := in.buf[in.pos+f.ready : in.pos+at]
	f.ready = at
	return in.validate(p)
}

// validate unmasks the next bytes of the open frame, and checks that they are
// UTF-8 where they have to be.
func (in *inbound) validate(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if in.role == Server {
		in.frame.key = wire.Mask(p, p, in.frame.key)
	}
	if in.frame.plain {
		return in.checkText(in.frame.typ, p)
	}
	return nil
}

// cut takes what is ready.
func (in *inbound) cut() Frame {
	f := &in.frame
	n := f.ready
	out := Frame{Type: f.typ, RSV: f.rsv, First: f.first, Begin: f.begin, Payload: in.buf[in.pos : in.pos+n : in.pos+n]}
	in.pos += n
	f.left -= int64(n)
	f.ready, f.first, f.begin = 0, false, false
	if f.left == 0 {
		f.open = false
		out.End, out.Last = true, f.fin
	}
	if out.Last {
		f.typ = 0
		in.passed++
	}
	return out
}

// checkText validates the next piece of a text message.
//
// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the
// byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail
// the WebSocket Connection_."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-8.1
func (in *inbound) checkText(t Type, p []byte) error {
	if t == Text && !in.frame.text.Write(p) {
		return invalidText
	}
	return nil
}

// checkEnd validates the end of a message.
func (in *inbound) checkEnd(f Frame) error {
	if f.Type == Text && !in.frame.text.Complete() {
		return invalidText
	}
	return nil
}

var invalidText = &result.ProtocolError{Code: result.StatusInvalidPayload, What: "a text message is not valid UTF-8"}

// checkHeader applies the rules that hold for every frame.
func (in *inbound) checkHeader(h wire.Header) error {
	switch {
	// "A server MUST NOT mask any frames that it sends to the client."
	// "The server MUST close the connection upon receiving a frame that is not masked."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.1
	case h.Masked != (in.role == Server):
		if h.Masked {
			return protocolError("a frame from the server is masked")
		}
		return protocolError("a frame from the client is not masked")
	// "If an unknown opcode is received, the receiving endpoint MUST _Fail the
	// WebSocket Connection_."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
	case h.Opcode > byte(Binary) && h.Opcode < byte(Close), h.Opcode > byte(Pong):
		return protocolError("the opcode %#x is reserved", h.Opcode)
	case h.Opcode >= byte(Close):
		return checkControl(h)
	}
	return nil
}

// checkControl applies the rules for control frames. No extension that is
// known gives reserved bits a meaning there.
//
// "All control frames MUST have a payload length of 125 bytes or less and MUST
// NOT be fragmented."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5
func checkControl(h wire.Header) error {
	switch t := Type(h.Opcode); {
	case h.RSV != 0:
		return protocolError("a %v frame has the reserved bits %03b", t, h.RSV)
	case !h.Fin:
		return protocolError("a %v frame is fragmented", t)
	case h.Length > wire.MaxControl:
		return protocolError("a %v frame has a payload of %d bytes, more than %d", t, h.Length, wire.MaxControl)
	}
	return nil
}

// openData begins a data frame, and with it perhaps a message.
//
// "A fragmented message consists of a single frame with the FIN bit clear and
// an opcode other than 0, followed by zero or more frames with the FIN bit
// clear and the opcode set to 0, and terminated by a single frame with the FIN
// bit set and an opcode of 0."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.4
func (in *inbound) openData(h wire.Header) error {
	f := &in.frame
	switch {
	case h.Opcode == 0 && f.typ == 0:
		return protocolError("a continuation frame continues no message")
	case h.Opcode != 0 && f.typ != 0:
		return protocolError("a %v frame interrupts a fragmented message", Type(h.Opcode))
	case h.Opcode == 0 && h.RSV != 0:
		return protocolError("a continuation frame has the reserved bits %03b", h.RSV)
	// "MUST be 0 unless an extension is negotiated that defines meanings for
	// non-zero values."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
	case h.RSV&^in.chain.rsv != 0:
		return protocolError("a %v frame has the reserved bits %03b, which no extension owns", Type(h.Opcode), h.RSV)
	}
	if h.Opcode != 0 {
		f.typ, f.rsv, f.first = Type(h.Opcode), h.RSV, true
		f.plain = !in.chain.wants(h.RSV)
		if f.plain {
			f.text.Reset()
		}
	}
	f.open, f.begin, f.fin = true, true, h.Fin
	f.left, f.key, f.ready = h.Length, h.Key, 0
	f.direct = f.plain && in.assemble && h.Length > inPlace
	if !in.assemble {
		return nil
	}
	if f.direct && !in.msg.skip {
		in.msg.typ = f.typ
	}
	return in.msg.announce(f, in.limit)
}
