// Package wire holds the byte formats of RFC 6455: frame headers, masking, the
// payload of Close frames, UTF-8 that arrives in pieces, and the grammar of
// Sec-WebSocket-Extensions. It does no I/O, keeps no bytes that it is given,
// and leaves to its callers every rule that needs to know more than the bytes
// at hand, such as which opcode may follow which.
//
// All functions may be called concurrently. The texts of the errors carry no
// prefix: they complete a sentence about what the peer did wrong.
package wire

import (
	"encoding/binary"
	"errors"
)

const (
	// MaxHeader is the size in bytes of the longest frame header.
	MaxHeader = 14

	// MaxControl is the size in bytes of the longest payload of a control
	// frame.
	//
	// "All control frames MUST have a payload length of 125 bytes or less and
	// MUST NOT be fragmented."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.5
	MaxControl = 125
)

// The errors of [Parse].
var (
	// ErrLength reports a payload length in more bytes than it needs.
	//
	// "Note that in all cases, the minimal number of bytes MUST be used to
	// encode the length, for example, the length of a 124-byte-long string
	// can't be encoded as the sequence 126, 0, 124."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
	ErrLength = errors.New("the payload length is not encoded in the minimal number of bytes")

	// ErrTopBit reports a payload length of 2^63 bytes or more.
	//
	// "If 127, the following 8 bytes interpreted as a 64-bit unsigned integer
	// (the most significant bit MUST be 0) are the payload length."
	// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
	ErrTopBit = errors.New("the most significant bit of the 64-bit payload length is set")
)

const (
	finBit  = 0x80 // in the first byte
	maskBit = 0x80 // in the second byte
	len16   = 126  // the length follows in 2 bytes
	len64   = 127  // the length follows in 8 bytes
)

// A Header is what stands before the payload of a frame. The zero value is the
// header of an empty continuation frame that neither ends its message nor is
// masked.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
type Header struct {
	Fin    bool   // the frame is the last of its message
	RSV    byte   // 0 to 7: RSV1 is 4, RSV2 is 2, RSV3 is 1
	Opcode byte   // 0 to 15: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong
	Masked bool   // a masking key is there
	Key    uint32 // the masking key, its first byte in the lowest 8 bits; 0 when not Masked
	Length int64  // of the payload, in bytes; never negative
}

// Parse reads the header at the start of b. It returns the header's size in
// bytes, from 2 to [MaxHeader]. When b ends before the header does, or with an
// error, the size is 0 and the header is zero.
//
// The error is [ErrLength] or [ErrTopBit]. It comes as soon as b holds the
// length, with or without the masking key after it, so that a caller with a
// size of 0 and no error should read on.
func Parse(b []byte) (h Header, n int, err error) {
	if len(b) < 2 {
		return Header{}, 0, nil
	}
	length, n := int64(b[1]&^maskBit), 2
	if length >= len16 {
		if length, n, err = parseLength(b); n == 0 {
			return Header{}, 0, err
		}
	}
	masked, key := b[1]&maskBit != 0, uint32(0)
	if masked {
		if len(b) < n+4 {
			return Header{}, 0, nil
		}
		key = binary.LittleEndian.Uint32(b[n:])
		n += 4
	}
	return Header{
		Fin:    b[0]&finBit != 0,
		RSV:    b[0] >> 4 & 7,
		Opcode: b[0] & 15,
		Masked: masked,
		Key:    key,
		Length: length,
	}, n, nil
}

// parseLength reads a length of 2 or 8 bytes from the header b and returns how
// many bytes of b end with it: 0 when it is not there yet or is forbidden.
func parseLength(b []byte) (length int64, n int, err error) {
	if b[1]&^maskBit == len16 {
		if len(b) < 4 {
			return 0, 0, nil
		}
		length = int64(binary.BigEndian.Uint16(b[2:]))
		if length < len16 {
			return 0, 0, ErrLength
		}
		return length, 4, nil
	}
	if len(b) < 10 {
		return 0, 0, nil
	}
	length = int64(binary.BigEndian.Uint64(b[2:]))
	if length < 0 {
		return 0, 0, ErrTopBit
	}
	if length <= 0xFFFF {
		return 0, 0, ErrLength
	}
	return length, 10, nil
}

// Append appends the encoding of h to dst, with the length in the minimal
// number of bytes, and returns the extended slice. It uses the low 3 bits of
// RSV and the low 4 of Opcode, and ignores Key unless h is Masked.
func Append(dst []byte, h Header) []byte {
	first, mask := h.RSV&7<<4|h.Opcode&15, byte(0)
	if h.Fin {
		first |= finBit
	}
	if h.Masked {
		mask = maskBit
	}
	switch {
	case h.Length < len16:
		dst = append(dst, first, mask|byte(h.Length))
	case h.Length <= 0xFFFF:
		dst = append(dst, first, mask|len16, byte(h.Length>>8), byte(h.Length))
	default:
		dst = append(dst, first, mask|len64)
		dst = binary.BigEndian.AppendUint64(dst, uint64(h.Length))
	}
	if h.Masked {
		dst = binary.LittleEndian.AppendUint32(dst, h.Key)
	}
	return dst
}
