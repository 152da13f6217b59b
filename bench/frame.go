package main

import "encoding/binary"

// Bits and opcodes of a frame's first two bytes.
//
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.2
const (
	finalBit = 0x80
	rsv1Bit  = 0x40
	maskBit  = 0x80

	opcodeText   = 0x1
	opcodeBinary = 0x2
	opcodeClose  = 0x8
)

// appendHeader appends the header of a frame that is not masked.
func appendHeader(b []byte, first byte, payload int) []byte {
	switch {
	case payload < 126:
		return append(b, first, byte(payload))
	case payload < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, 126), uint16(payload))
	default:
		return binary.BigEndian.AppendUint64(append(b, first, 127), uint64(payload))
	}
}

// parseHeader returns the bytes of the frame header that b begins with, the
// masking key among them, and those of the payload that follows. The header is
// not whole yet if head is 0.
func parseHeader(b []byte) (head, payload int) {
	if len(b) < 2 {
		return 0, 0
	}
	head, payload = 2, int(b[1]&^maskBit)
	switch payload {
	case 126:
		head += 2
	case 127:
		head += 8
	}
	key := head
	if b[1]&maskBit != 0 {
		head += 4
	}
	if len(b) < head {
		return 0, 0
	}
	switch key {
	case 4:
		payload = int(binary.BigEndian.Uint16(b[2:]))
	case 10:
		payload = int(binary.BigEndian.Uint64(b[2:]))
	}
	return head, payload
}

// mask applies a key, which masks and unmasks.
func mask(payload []byte, key []byte) {
	for i := range payload {
		payload[i] ^= key[i&3]
	}
}
