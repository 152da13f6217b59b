package deflate

import "math/bits"

// A decoding table is looked up with the next bits of the stream, as many as
// it is wide. Its entries say, from the lowest bit on:
//
//	bits  0-3   how many bits the code has (within a second table, beyond the first)
//	bits  4-7   how many extra bits follow it, or how wide the second table is
//	bits  8-11  what it is
//	bits 16-31  the literal, the least length or distance, or where the second table begins
//
// Codes wider than the table share an entry that leads to a second one, which
// lies behind the first in the same memory.
const (
	entryLiteral = 1 << 8  // also a symbol of the code length code
	entryTable   = 1 << 9  // go on in a second table
	entryEnd     = 1 << 10 // of the block
	entryBad     = 1 << 11 // no symbol that may occur

	litTableBits  = 10
	distTableBits = 8
	lenTableBits  = maxLenCodeBits

	// Room for the widest second tables that 288 and 32 symbols can need with
	// codes of at most 15 bits; zlib's enough.c counts them.
	litTableSize  = 1334
	distTableSize = 402
)

// What the symbols stand for, without the bits of the code.
var (
	litEntries  = makeLitEntries()
	distEntries = makeDistEntries()
	lenEntries  = makeLenEntries()
)

func makeLitEntries() (entries [litSymbols + 2]uint32) {
	for i := range entries {
		switch sym := i - endOfBlock - 1; {
		case i < endOfBlock:
			entries[i] = entryLiteral | uint32(i)<<16
		case i == endOfBlock:
			entries[i] = entryEnd
		case i < litSymbols:
			entries[i] = (uint32(lengthBase[sym])+3)<<16 | uint32(lengthExtra[sym])<<4
		default:
			entries[i] = entryBad
		}
	}
	return entries
}

func makeDistEntries() (entries [distSymbols + 2]uint32) {
	for i := range entries {
		sym := uint32(i)
		base := sym
		if extra := distExtra(sym); extra > 0 {
			base = (2 + sym%2) << extra
		}
		entries[i] = (base+1)<<16 | uint32(distExtra(sym))<<4
		if i >= distSymbols {
			entries[i] = entryBad
		}
	}
	return entries
}

func makeLenEntries() (entries [lenSymbols]uint32) {
	for i := range entries {
		entries[i] = entryLiteral | uint32(i)<<16 | uint32(lenExtra[i])<<4
	}
	return entries
}

// fillTable makes the decoding table, so many bits wide, of the code that
// these lengths describe, and reports whether they describe one. A code must
// be complete; but it may have no symbols at all, or a single one of one bit.
func fillTable(table []uint32, width int, lengths []uint8, entries []uint32) bool {
	var count, offset [maxCodeBits + 2]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	used := 0 // of the code space, in codes of maxCodeBits
	for n := 1; n <= maxCodeBits; n++ {
		offset[n+1] = offset[n] + count[n]
		used += count[n] << (maxCodeBits - n)
	}
	if alone := offset[maxCodeBits+1] == count[1]; used != 1<<maxCodeBits && (!alone || count[1] > 1) {
		return false
	}
	var sorted [litSymbols + 2]uint16
	for sym, n := range lengths {
		if n > 0 {
			sorted[offset[n]] = uint16(sym)
			offset[n]++
		}
	}
	f := tableFiller{table: table, width: width, end: 1 << width, prefix: -1}
	table[0] = entryBad | 1
	rest := sorted[:]
	for n := 1; n <= maxCodeBits; n++ {
		if n <= width { // a table one bit wider is the same twice
			copy(table[1<<(n-1):1<<n], table)
		}
		for ; count[n] > 0; count[n]-- {
			f.add(n, entries[rest[0]], &count)
			rest = rest[1:]
		}
		f.code <<= 1
	}
	return true
}

// A tableFiller puts codes into a table, in their order.
type tableFiller struct {
	table  []uint32
	width  int
	code   uint16 // the next one
	prefix int    // the entry that leads to the second table at hand
	start  int    // of that table
	second int    // its width
	end    int    // of what is in use
}

// add puts in the next code, of n bits. left counts the codes that are not in.
func (f *tableFiller) add(n int, entry uint32, left *[maxCodeBits + 2]int) {
	at := int(bits.Reverse16(f.code) >> (16 - n))
	f.code++
	if n <= f.width {
		f.table[at] = entry | uint32(n)
		return
	}
	if prefix := at & (1<<f.width - 1); prefix != f.prefix {
		f.prefix = prefix
		f.start = f.end
		f.second = secondWidth(n-f.width, f.width, left)
		f.end += 1 << f.second
		f.table[prefix] = entryTable | uint32(f.second)<<4 | uint32(f.start)<<16
	}
	n -= f.width
	for at >>= f.width; at < 1<<f.second; at += 1 << n {
		f.table[f.start+at] = entry | uint32(n)
	}
}

// secondWidth returns how wide a second table must be that begins with a code
// n bits longer than the first table is wide: wide enough for the codes that
// fill it.
func secondWidth(n, width int, left *[maxCodeBits + 2]int) int {
	room := 1 << n
	for ; n+width < maxCodeBits; n++ {
		if room -= left[n+width]; room <= 0 {
			break
		}
		room <<= 1
	}
	return n
}
