package wire

import (
	"encoding/binary"
	"math/bits"
)

// Mask writes src, masked or unmasked with key, to the first len(src) bytes of
// dst, and returns the key for the bytes that follow src in the same frame.
// The first byte of the key is in its lowest 8 bits. dst and src may be the
// same slice, but must not overlap in any other way; Mask panics when dst is
// the shorter one.
//
// "Octet i of the transformed data ("transformed-octet-i") is the XOR of octet
// i of the original data ("original-octet-i") with octet at index i modulo 4
// of the masking key ("masking-key-octet-j")"
// https://www.rfc-editor.org/rfc/rfc6455.html#section-5.3
func Mask(dst, src []byte, key uint32) uint32 {
	n := len(src)
	dst = dst[:n:len(dst)]
	next := bits.RotateLeft32(key, -8*(n&3))
	if n < 8 {
		maskShort(dst, src, key)
		return next
	}
	// The last word may overlap the one before it, so it is read before any
	// word is written: dst may be src. It stands for a tail of single bytes.
	k := uint64(key)<<32 | uint64(key)
	last := binary.LittleEndian.Uint64(src[n-8:]) ^ bits.RotateLeft64(k, -8*(n&3))
	i := 0
	for ; i < n-32; i += 32 {
		s, d := src[i:i+32:i+32], dst[i:i+32:i+32]
		binary.LittleEndian.PutUint64(d[0:], binary.LittleEndian.Uint64(s[0:])^k)
		binary.LittleEndian.PutUint64(d[8:], binary.LittleEndian.Uint64(s[8:])^k)
		binary.LittleEndian.PutUint64(d[16:], binary.LittleEndian.Uint64(s[16:])^k)
		binary.LittleEndian.PutUint64(d[24:], binary.LittleEndian.Uint64(s[24:])^k)
	}
	for ; i < n-8; i += 8 {
		binary.LittleEndian.PutUint64(dst[i:], binary.LittleEndian.Uint64(src[i:])^k)
	}
	binary.LittleEndian.PutUint64(dst[n-8:], last)
	return next
}

// maskShort masks fewer than 8 bytes.
func maskShort(dst, src []byte, key uint32) {
	if n := len(src); n >= 4 {
		first := binary.LittleEndian.Uint32(src) ^ key
		last := binary.LittleEndian.Uint32(src[n-4:]) ^ bits.RotateLeft32(key, -8*(n&3))
		binary.LittleEndian.PutUint32(dst, first)
		binary.LittleEndian.PutUint32(dst[n-4:], last)
		return
	}
	for i, c := range src {
		dst[i] = c ^ byte(key)
		key >>= 8
	}
}
