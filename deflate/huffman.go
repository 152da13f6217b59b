package deflate

import (
	"math/bits"
	"slices"
)

// A code is one Huffman code: its bits, in the order in which they are
// written, and how many there are. A symbol that does not occur has none.
type code struct {
	bits uint16
	n    uint8
}

const (
	litSymbols  = 286 // literals, the end of the block, and lengths
	distSymbols = 30
	lenSymbols  = 19 // of the code in which code lengths are written
	endOfBlock  = 256

	maxCodeBits    = 15
	maxLenCodeBits = 7
)

// The codes of blocks that carry none of their own.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.6
var (
	fixedLit  = fixedCode(litSymbols+2, func(sym int) uint8 { return fixedLitBits(sym) })
	fixedDist = fixedCode(distSymbols+2, func(int) uint8 { return 5 })
)

func fixedLitBits(sym int) uint8 {
	switch {
	case sym < 144:
		return 8
	case sym < 256:
		return 9
	case sym < 280:
		return 7
	}
	return 8
}

func fixedCode(symbols int, length func(int) uint8) []code {
	codes := make([]code, symbols)
	for i := range codes {
		codes[i].n = length(i)
	}
	number(codes)
	return codes
}

// number gives each symbol the bits that follow from the lengths of all codes.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.2
func number(codes []code) {
	var count, next [maxCodeBits + 1]uint16
	for i := range codes {
		count[codes[i].n&15]++
	}
	count[0] = 0
	for n := 1; n <= maxCodeBits; n++ {
		next[n] = (next[n-1] + count[n-1]) << 1
	}
	for i := range codes {
		if n := codes[i].n & 15; n > 0 {
			codes[i].bits = bits.Reverse16(next[n]) >> (16 - n)
			next[n]++
		}
	}
}

// A codeBuilder finds the best code for symbols that occur so and so often.
type codeBuilder struct {
	order [litSymbols]uint32 // frequency<<16 | symbol of those that occur, the rarest first
	tree  [litSymbols]uint32
}

// build sets the codes for the symbols' frequencies, none longer than limit
// bits.
func (b *codeBuilder) build(codes []code, freq []uint16, limit int) {
	order := b.order[:0]
	for sym, f := range freq {
		codes[sym] = code{}
		if f > 0 {
			order = append(order, uint32(f)<<16|uint32(sym))
		}
	}
	switch len(order) {
	case 0:
		return
	case 1:
		codes[order[0]&0xFFFF].n = 1
		return
	}
	slices.Sort(order)
	lengths := limitLengths(b.depths(order), len(order), limit)
	rarest := 0
	for n := limit; n > 0; n-- {
		for range lengths[n] {
			codes[order[rarest]&0xFFFF].n = uint8(n)
			rarest++
		}
	}
	number(codes[:len(freq)])
}

// depths returns how many symbols lie how deep in the Huffman tree, by the
// method of Moffat and Katajainen (In-Place Calculation of Minimum-Redundancy
// Codes, 1995): one array holds the weights of nodes that wait, then each
// node's parent, then its depth.
func (b *codeBuilder) depths(order []uint32) (count [litSymbols]uint16) {
	n := len(order)
	tree := b.tree[:n]
	for i, o := range order {
		tree[i] = o >> 16
	}
	leaf, node := 0, 0
	for next := range n - 1 {
		weight := uint32(0)
		for range 2 {
			if leaf >= n || node < next && tree[node] < tree[leaf] {
				weight += tree[node]
				tree[node] = uint32(next)
				node++
			} else {
				weight += tree[leaf]
				leaf++
			}
		}
		tree[next] = weight
	}
	tree[n-2] = 0
	for i := n - 3; i >= 0; i-- {
		tree[i] = tree[tree[i]] + 1
	}
	// The nodes that are left at each depth are leaves.
	places, i := 1, n-2
	for depth := 0; places > 0; depth++ {
		inner := 0
		for ; i >= 0 && tree[i] == uint32(depth); i-- {
			inner++
		}
		count[depth] = uint16(places - inner)
		places = 2 * inner
	}
	return count
}

// limitLengths shortens the codes of n symbols that are longer than limit, and
// makes up for it by lengthening others.
func limitLengths(count [litSymbols]uint16, n, limit int) (lengths [maxCodeBits + 1]uint16) {
	copy(lengths[:limit+1], count[:limit+1])
	used := 0 // of the code space, in codes of limit bits
	for i := 1; i < limit; i++ {
		used += int(lengths[i]) << (limit - i)
		n -= int(lengths[i])
	}
	lengths[limit] = uint16(n)
	for used += n; used > 1<<limit; used-- {
		i := limit - 1
		for lengths[i] == 0 {
			i--
		}
		lengths[i]--
		lengths[i+1] += 2
		lengths[limit]--
	}
	return lengths
}
