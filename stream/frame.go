package stream

import (
	"context"
	"fmt"

	"github.com/wsflow/wsflow/internal/wire"
	"github.com/wsflow/wsflow/result"
)

// piece returns the next piece of a data frame, as it came off the wire: not
// more than what is at hand, or all of the frame where the consumer assembles
// whole messages and no operator wants this one. Control frames on the way are
// dealt with.
func (r *reader) piece(ctx context.Context) (Frame, error) {
	if !r.frame.open {
		if err := r.openFrame(ctx); err != nil {
			return Frame{}, err
		}
	}
	f := &r.frame
	want := min(f.left, 1)
	if r.assemble && f.plain && f.left <= inPlace {
		want = f.left
	}
	for {
		if err := r.prepare(); err != nil {
			return Frame{}, err
		}
		if r.attention.Load() != 0 {
			if err := r.attend(ctx); err != nil {
				return Frame{}, err
			}
		}
		if int64(f.ready) >= want {
			return r.cutPiece(), nil
		}
		if err := r.fill(ctx); err != nil {
			return Frame{}, err
		}
	}
}

// prepare unmasks and validates those bytes of the open frame that are at hand
// and were not yet.
func (r *reader) prepare() error {
	f := &r.frame
	at := min(int64(r.end-r.pos), f.left)
	p := r.buf[r.pos+f.ready : r.pos+int(at)]
	if len(p) == 0 {
		return nil
	}
	if r.role == Server {
		f.key = wire.Mask(p, p, f.key)
	}
	f.ready = int(at)
	if f.plain {
		return r.checkText(f.typ, p)
	}
	return nil
}

// cutPiece takes what is ready.
func (r *reader) cutPiece() Frame {
	f := &r.frame
	n := f.ready
	out := Frame{Type: f.typ, RSV: f.rsv, First: f.first, Begin: f.begin, Payload: r.buf[r.pos : r.pos+n : r.pos+n]}
	r.pos += n
	f.left -= int64(n)
	f.ready, f.first, f.begin = 0, false, false
	if f.left == 0 {
		f.open = false
		out.End, out.Last = true, f.fin
	}
	if out.Last {
		f.typ = 0
	}
	return out
}

// checkText validates the next piece of a text message.
//
// "When an endpoint is to interpret a byte stream as UTF-8 but finds that the
// byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail
// the WebSocket Connection_."
// https://www.rfc-editor.org/rfc/rfc6455.html#section-8.1
func (r *reader) checkText(t Type, p []byte) error {
	if t == Text && !r.frame.text.Write(p) {
		return invalidText
	}
	return nil
}

var invalidText = &result.ProtocolError{Code: result.StatusInvalidPayload, What: "a text message is not valid UTF-8"}

// openFrame reads up to the payload of the next data frame.
func (r *reader) openFrame(ctx context.Context) error {
	for {
		h, n, err := r.header(ctx)
		if err != nil {
			return err
		}
		if h.Opcode < byte(Close) {
			r.pos += n
			return r.openData(h)
		}
		if err := r.control(ctx, h, n); err != nil {
			return err
		}
	}
}

// header waits for a whole frame header, which stays in the buffer.
func (r *reader) header(ctx context.Context) (wire.Header, int, error) {
	for {
		h, n, err := r.parse(r.buf[r.pos:r.end])
		if err != nil || n > 0 {
			return h, n, err
		}
		if err := r.fill(ctx); err != nil {
			return h, 0, err
		}
	}
}

// parse returns the frame header at the front of p and its size, 0 while it is
// not all there.
func (r *reader) parse(p []byte) (h wire.Header, n int, err error) {
	h, n, err = wire.Parse(p)
	switch {
	case err != nil:
		err = protocolError("%v", err)
	case n > 0:
		err = r.checkHeader(h)
	}
	return h, n, err
}

func protocolError(format string, args ...any) error {
	return &result.ProtocolError{Code: result.StatusProtocolError, What: fmt.Sprintf(format, args...)}
}

// checkHeader applies the rules that hold for every frame.
func (r *reader) checkHeader(h wire.Header) error {
	switch {
	// "A server MUST NOT mask any frames that it sends to the client."
	// "The server MUST close the connection upon receiving a frame that is not masked."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.1
	case h.Masked != (r.role == Server):
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
func (r *reader) openData(h wire.Header) error {
	f := &r.frame
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
	case h.RSV&^r.chain.rsv != 0:
		return protocolError("a %v frame has the reserved bits %03b, which no extension owns", Type(h.Opcode), h.RSV)
	}
	if h.Opcode != 0 {
		f.typ, f.rsv, f.first = Type(h.Opcode), h.RSV, true
		f.plain = !r.chain.wants(h.RSV)
		if f.plain {
			f.text.Reset()
		}
	}
	f.open, f.begin, f.fin = true, true, h.Fin
	f.left, f.key, f.ready = h.Length, h.Key, 0
	if !r.assemble {
		return nil
	}
	return r.whole.announce(f, r.limit)
}
