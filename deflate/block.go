package deflate

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// How lengths and distances are coded: a symbol stands for a range, and extra
// bits say which of it.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.5
var (
	lengthBase, lengthExtra = makeLengths()       // the first length-3 of the symbol
	lengthSymbol            = makeLengthSymbols() // of length-3, counted from 0
)

func makeLengths() (base, extra [29]uint8) {
	for sym := range uint8(28) {
		extra[sym] = max(sym/4, 1) - 1
		base[sym] = sym
		if sym >= 8 {
			base[sym] = (4 + sym%4) << extra[sym]
		}
	}
	base[28] = maxMatch - 3
	return base, extra
}

func makeLengthSymbols() (symbols [256]uint8) {
	sym := uint8(0)
	for length := range symbols {
		for sym < 28 && int(lengthBase[sym+1]) <= length {
			sym++
		}
		symbols[length] = sym
	}
	return symbols
}

// distSymbol returns the symbol of a distance, less one.
func distSymbol(d uint32) uint32 {
	if d < 4 {
		return d
	}
	n := uint32(bits.Len32(d)) - 2
	return n*2 + d>>n
}

func distExtra(sym uint32) uint { return uint(max(sym/2, 1) - 1) }

// The order in which the code lengths of the code length code are sent.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.7
var lenOrder = [lenSymbols]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

var lenExtra = [lenSymbols]uint8{16: 2, 17: 3, 18: 7}

// A blockWriter codes blocks and appends them to out.
type blockWriter struct {
	out  []byte
	bits uint64 // not yet in out
	nb   uint   // how many of these; less than 32 between calls

	builder   codeBuilder
	lit       [litSymbols]code
	dist      [distSymbols]code
	lens      [lenSymbols]code
	numLit    int // symbols of lit that are sent
	numDist   int
	numLens   int
	header    [litSymbols + distSymbols]uint16 // symbols of lens, with extra bits << 8
	headerLen int
}

func (w *blockWriter) put(v uint64, n uint) {
	w.bits |= v << (w.nb & 63)
	if w.nb += n; w.nb >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.bits))
		w.bits >>= 32
		w.nb -= 32
	}
}

func (w *blockWriter) align() {
	for ; w.nb > 0; w.nb -= min(w.nb, 8) {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
}

// flush brings all that was written to a byte boundary, by an empty stored
// block, so that the peer can have it.
func (w *blockWriter) flush() { w.store(nil) }

// maxStored is how many bytes a stored block can hold.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.4
const maxStored = 1<<16 - 1

func (w *blockWriter) store(raw []byte) {
	w.put(0, 3)
	w.align()
	w.out = binary.LittleEndian.AppendUint16(w.out, uint16(len(raw)))
	w.out = binary.LittleEndian.AppendUint16(w.out, ^uint16(len(raw)))
	w.out = append(w.out, raw...)
}

// A code of its own costs a block 40 bytes or more. One with less than this
// many bits of symbols in the fixed code hardly ever gains that, and to look
// costs more time than all the rest.
const worthOwnCode = 640

// block writes the tokens that stand for raw, in the shortest of three ways.
func (w *blockWriter) block(t *tokens, raw []byte) {
	extra := extraBits(t)
	size := 3 + extra + codedBits(t, fixedLit, fixedDist)
	lit, dist := fixedLit[:litSymbols], fixedDist[:distSymbols]
	if size-extra > worthOwnCode {
		if own := 3 + extra + w.findCodes(t); own < size {
			size, lit, dist = own, w.lit[:], w.dist[:]
		}
	}
	if stored := 8 * (len(raw) + 5); stored <= size && len(raw) <= maxStored {
		w.store(raw)
		return
	}
	w.out = slices.Grow(w.out, size/8+2*8)
	if &lit[0] == &fixedLit[0] {
		w.put(0b01<<1, 3)
	} else {
		w.putHeader()
	}
	w.putTokens(t, lit, dist)
}

func extraBits(t *tokens) (size int) {
	for sym, f := range t.lit[endOfBlock+1:] {
		size += int(f) * int(lengthExtra[sym])
	}
	for sym, f := range t.dist {
		size += int(f) * int(distExtra(uint32(sym)))
	}
	return size
}

// codedBits returns the size of the tokens' symbols in these codes.
func codedBits(t *tokens, lit, dist []code) (size int) {
	for sym, f := range t.lit {
		size += int(f) * int(lit[sym].n)
	}
	for sym, f := range t.dist {
		size += int(f) * int(dist[sym].n)
	}
	return size
}

// findCodes builds the best codes for the tokens and returns the size of the
// block in bits, less the three bits before it and the extra bits.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.7
func (w *blockWriter) findCodes(t *tokens) (size int) {
	w.builder.build(w.lit[:], t.lit[:], maxCodeBits)
	w.builder.build(w.dist[:], t.dist[:], maxCodeBits)
	w.numLit, w.numDist = litSymbols, distSymbols
	for w.lit[w.numLit-1].n == 0 {
		w.numLit--
	}
	for w.numDist > 1 && w.dist[w.numDist-1].n == 0 {
		w.numDist--
	}
	freq := w.describeCodes()
	w.builder.build(w.lens[:], freq[:], maxLenCodeBits)
	w.numLens = lenSymbols
	for w.numLens > 4 && w.lens[lenOrder[w.numLens-1]].n == 0 {
		w.numLens--
	}
	size = 5 + 5 + 4 + 3*w.numLens + codedBits(t, w.lit[:], w.dist[:])
	for sym, f := range freq {
		size += int(f) * int(w.lens[sym].n+lenExtra[sym])
	}
	return size
}

// describeCodes sets header to the lengths of both codes, with runs of one
// length shortened, and returns how often each of its symbols occurs.
func (w *blockWriter) describeCodes() (freq [lenSymbols]uint16) {
	var lengths [litSymbols + distSymbols]uint8
	for i, c := range w.lit[:w.numLit] {
		lengths[i] = c.n
	}
	for i, c := range w.dist[:w.numDist] {
		lengths[w.numLit+i] = c.n
	}
	w.headerLen = 0
	add := func(sym uint16, extra int) {
		w.header[w.headerLen] = sym | uint16(extra)<<8
		w.headerLen++
		freq[sym]++
	}
	for rest := lengths[:w.numLit+w.numDist]; len(rest) > 0; {
		length, run := rest[0], 1
		for run < len(rest) && rest[run] == length {
			run++
		}
		rest = rest[run:]
		if length != 0 {
			add(uint16(length), 0)
			run--
		}
		for run > 0 {
			switch {
			case run < 3:
				add(uint16(length), 0)
				run--
			case length != 0:
				add(16, min(run, 6)-3)
				run -= min(run, 6)
			case run < 11:
				add(17, run-3)
				run = 0
			default:
				add(18, min(run, 138)-11)
				run -= min(run, 138)
			}
		}
	}
	return freq
}

func (w *blockWriter) putHeader() {
	w.put(0b10<<1, 3)
	w.put(uint64(w.numLit-257)|uint64(w.numDist-1)<<5|uint64(w.numLens-4)<<10, 14)
	for _, sym := range lenOrder[:w.numLens] {
		w.put(uint64(w.lens[sym].n), 3)
	}
	for _, h := range w.header[:w.headerLen] {
		c := w.lens[h&0xFF]
		w.put(uint64(c.bits)|uint64(h>>8)<<c.n, uint(c.n+lenExtra[h&0xFF]))
	}
}

// putTokens writes the tokens and the end of the block. There must be room for
// them in out, and eight bytes more. A token has at most 48 bits: 15 and 5 for
// a length, 15 and 13 for a distance; 7 and less stay behind before each.
func (w *blockWriter) putTokens(t *tokens, lit, dist []code) {
	out, n := w.out[:cap(w.out)], len(w.out)
	acc, nb := w.bits, w.nb
	lit, dist = lit[:litSymbols], dist[:distSymbols]
	for _, t := range t.list[:t.n] {
		binary.LittleEndian.PutUint64(out[n:], acc)
		n += int(nb >> 3)
		acc >>= nb & 56
		nb &= 7
		if t < isCopy {
			c := lit[t&0xFF]
			acc |= uint64(c.bits) << nb
			nb += uint(c.n)
			continue
		}
		length := uint8(t >> 16)
		sym := lengthSymbol[length]
		c := lit[endOfBlock+1+int(sym)]
		acc |= (uint64(c.bits) | uint64(length-lengthBase[sym])<<(c.n&15)) << nb
		nb += uint(c.n + lengthExtra[sym])
		dsym := t >> 25
		c = dist[dsym]
		extra := distExtra(dsym)
		acc |= (uint64(c.bits) | uint64(t&(1<<extra-1))<<(c.n&15)) << (nb & 63)
		nb += uint(c.n) + extra
	}
	w.out, w.bits, w.nb = out[:n], acc, nb
	w.drain()
	w.put(uint64(lit[endOfBlock].bits), uint(lit[endOfBlock].n))
}

// drain leaves less than eight bits outside of out.
func (w *blockWriter) drain() {
	for ; w.nb >= 8; w.nb -= 8 {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
}
