package script

import "encoding/binary"

// The opcodes.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
const (
	OpContinuation byte = 0x0
	OpText         byte = 0x1
	OpBinary       byte = 0x2
	OpClose        byte = 0x8
	OpPing         byte = 0x9
	OpPong         byte = 0xA
)

// A Frame is one frame as a script sends or wants it. It is a plain value:
// its methods return changed copies.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
type Frame struct {
	Fin     bool
	RSV     byte // RSV1 is 4, RSV2 is 2, RSV3 is 1
	Opcode  byte // four bits
	Payload []byte

	masking  masking
	key      [4]byte
	form     form
	claim    uint64 // the length that the header claims, if claiming
	claiming bool
	from     int // the bytes before this one are not sent
	to       int // nor those from this one on; 0: all are
}

// masking is whether a frame is masked.
type masking byte

const (
	asTheRoleMust masking = iota // clients mask, servers do not
	always
	never
)

// form is the length of the length field.
type form byte

const (
	minimal form = iota
	sevenBits
	sixteenBits
	sixtyFourBits
)

// octets is a payload in either notation.
type octets interface{ ~string | ~[]byte }

// Of returns an unfragmented frame with any opcode.
func Of[P octets](opcode byte, payload P) Frame {
	return Frame{Fin: true, Opcode: opcode, Payload: []byte(payload)}
}

// Text returns an unfragmented text message.
func Text[P octets](payload P) Frame { return Of(OpText, payload) }

// Binary returns an unfragmented binary message.
func Binary[P octets](payload P) Frame { return Of(OpBinary, payload) }

// Ping returns a Ping frame.
func Ping[P octets](payload P) Frame { return Of(OpPing, payload) }

// Pong returns a Pong frame.
func Pong[P octets](payload P) Frame { return Of(OpPong, payload) }

// More returns a continuation frame that is not the message's last.
func More[P octets](payload P) Frame { return Of(OpContinuation, payload).Open() }

// Last returns a message's last continuation frame.
func Last[P octets](payload P) Frame { return Of(OpContinuation, payload) }

// Close returns a Close frame with any code that fits into 16 bits.
func Close(code int, reason string) Frame {
	return Of(OpClose, string([]byte{byte(code >> 8), byte(code)})+reason)
}

// CloseEmpty returns a Close frame without a code.
func CloseEmpty() Frame { return Of(OpClose, "") }

// Open clears the FIN bit.
func (f Frame) Open() Frame {
	f.Fin = false
	return f
}

// Reserved sets the reserved bits: RSV1 is 4, RSV2 is 2, RSV3 is 1.
func (f Frame) Reserved(rsv byte) Frame {
	f.RSV = rsv
	return f
}

// Masked masks the frame with the key, whoever sends it.
func (f Frame) Masked(key [4]byte) Frame {
	f.masking, f.key = always, key
	return f
}

// Unmasked leaves the frame unmasked, whoever sends it.
func (f Frame) Unmasked() Frame {
	f.masking = never
	return f
}

// In16 writes the length in 16 bits, minimal or not.
func (f Frame) In16() Frame {
	f.form = sixteenBits
	return f
}

// In64 writes the length in 64 bits, minimal or not.
func (f Frame) In64() Frame {
	f.form = sixtyFourBits
	return f
}

// Claiming writes n as the length, whatever the payload has.
func (f Frame) Claiming(n uint64) Frame {
	f.claim, f.claiming = n, true
	return f
}

// First keeps the first n bytes of the frame; the others are not sent.
func (f Frame) First(n int) Frame {
	f.to = n
	return f
}

// Rest keeps what comes after the first n bytes of the frame.
func (f Frame) Rest(n int) Frame {
	f.from = n
	return f
}

// Bytes returns the frame, or the part of it that was kept, as a client sends
// it or as a server does.
func (f Frame) Bytes(byClient bool) []byte {
	masked := f.masking == always || f.masking == asTheRoleMust && byClient
	b := []byte{f.RSV<<4 | f.Opcode}
	if f.Fin {
		b[0] |= 0x80
	}
	b = f.appendLength(b)
	payload := f.Payload
	if masked {
		b[1] |= 0x80
		key := f.maskingKey()
		b = append(b, key[:]...)
		payload = mask(key, payload)
	}
	b = append(b, payload...)
	if f.to > 0 {
		b = b[:f.to]
	}
	return b[f.from:]
}

// appendLength appends the second byte, without the mask bit, and the extended
// length.
func (f Frame) appendLength(b []byte) []byte {
	n := uint64(len(f.Payload))
	if f.claiming {
		n = f.claim
	}
	switch f.formOf(n) {
	case sixtyFourBits:
		return binary.BigEndian.AppendUint64(append(b, 127), n)
	case sixteenBits:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	}
	return append(b, byte(n))
}

func (f Frame) formOf(n uint64) form {
	switch {
	case f.form != minimal:
		return f.form
	case n > 0xFFFF:
		return sixtyFourBits
	case n > 125:
		return sixteenBits
	}
	return sevenBits
}

// maskingKey returns the key that was set. Without one it depends on the
// frame, so that frames in a row have different keys and the parts of one
// frame the same.
func (f Frame) maskingKey() [4]byte {
	if f.masking == always {
		return f.key
	}
	n := len(f.Payload)
	return [4]byte{0x37 ^ f.Opcode, 0xFA ^ byte(n), 0x21 ^ byte(n>>8), 0x3D}
}

// mask returns the payload masked or unmasked, as RFC 6455 words it: octet i
// is XORed with octet i modulo 4 of the key.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3
func mask(key [4]byte, payload []byte) []byte {
	out := make([]byte, len(payload))
	for i, b := range payload {
		out[i] = b ^ key[i%4]
	}
	return out
}
