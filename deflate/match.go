package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	maxMatch = 258

	maxWindow = 1 << maxWindowBits
	chunkSize = 16 << 10 // what is looked through at a time
	blockSize = 64 << 10 // what one block covers at most: each has codes of its own
	maxTokens = 32 << 10 // of a block
	tableBits = 13
)

// Tokens are a block before it is coded: literal bytes, and copies of what
// came before.
type tokens struct {
	list [maxTokens]uint32 // a byte, or isCopy | distSymbol << 25 | length-3 << 16 | distance-1
	n    int
	lit  [litSymbols]uint16 // how often each symbol occurs
	dist [distSymbols]uint16
}

const isCopy = 1 << 24

func (t *tokens) reset() {
	t.n = 0
	clear(t.lit[:])
	clear(t.dist[:])
	t.lit[endOfBlock] = 1
}

// room returns for how many bytes there is room, be they all literals.
func (t *tokens) room() int { return len(t.list) - t.n }

func (t *tokens) literals(p []byte) {
	list := t.list[t.n:][:len(p)]
	for i, c := range p {
		list[i] = uint32(c)
		t.lit[c]++
	}
	t.n += len(p)
}

func (t *tokens) copy(length, distance int) {
	l, d := uint32(length-3), uint32(distance-1)
	sym := distSymbol(d)
	t.list[t.n] = isCopy | sym<<25 | l<<16 | d
	t.n++
	t.lit[endOfBlock+1+int(lengthSymbol[uint8(l)])]++
	t.dist[sym]++
}

// A matcher turns bytes into tokens. It has seen the bytes that lie before
// them in hist, and finds their like there through a table: by the hash of
// five bytes, where these stood last. An entry may be stale or belong to other
// bytes with that hash; what it leads to is compared. So a table costs nothing
// to keep or to lose, and a small one will do: with the 4,096 entries that a
// connection keeps, text comes out as small as from klauspost's level 1, which
// has 32,768; see TestRatio.
type matcher struct {
	hist  [maxWindow + chunkSize]byte
	n     int    // bytes in hist
	base  uint16 // of positions: hist[i] has the position base+i, modulo 64 KiB
	limit int    // the greatest distance of a copy
	table []uint16
	shift uint                   // of a hash, so that it is one of the table's entries
	own   [1 << tableBits]uint16 // the table, where none is kept
}

func load32(p []byte, i int) uint32 { return binary.LittleEndian.Uint32(p[i : i+4]) }
func load64(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[i : i+8]) }

// hash5 hashes the low five bytes of v.
func hash5(v uint64, shift uint) uint64 { return (v << 24) * 0xCF1BBCDCB7A56463 >> (shift & 63) }

// use sets the table, the length of which is a power of two.
func (m *matcher) use(table []uint16) {
	m.table = table
	m.shift = uint(64 - bits.Len(uint(len(table)-1)))
}

// index puts all of hist into the table.
func (m *matcher) index() {
	hist, table, shift := m.hist[:m.n], m.table, m.shift
	for i := 0; i+8 <= len(hist); i++ {
		table[hash5(load64(hist, i), shift)] = m.base + uint16(i)
	}
}

// end returns the position behind hist.
func (m *matcher) end() uint16 { return m.base + uint16(m.n) }

// add appends p, at most a chunk, to hist, and returns where it begins there.
func (m *matcher) add(p []byte) (from int) {
	if m.n+len(p) > len(m.hist) {
		gone := m.n - m.limit
		m.n = copy(m.hist[:], m.hist[gone:m.n])
		m.base += uint16(gone)
	}
	from = m.n
	m.n += copy(m.hist[from:], p)
	return from
}

// match turns hist[from:] into tokens. It takes the first copy that offers
// itself, and looks less often the longer it has found none: at every eighth
// byte at last, so that it sees where noise ends, as in a PDF.
func (m *matcher) match(t *tokens, from int) {
	hist, table, base, shift, limit := m.hist[:m.n], m.table, m.base, m.shift, m.limit
	done := from // what lies before has its tokens
	for s := from; s+8 <= len(hist); {
		v := load64(hist, s)
		position, entry := base+uint16(s), hash5(v, shift)
		distance := int(position - table[entry])
		table[entry] = position
		if uint(distance-1) >= uint(min(s, limit)) || load32(hist, s-distance) != uint32(v) {
			s += 1 + min((s-done)>>5, 7)
			continue
		}
		length := bits.TrailingZeros64(v^load64(hist, s-distance)) >> 3
		if length == 8 {
			length += common(hist[s+8:min(s+maxMatch, len(hist))], hist[s+8-distance:])
		}
		for s > done && s > distance && length < maxMatch && hist[s-1] == hist[s-1-distance] {
			s--
			length++
		}
		t.literals(hist[done:s])
		t.copy(length, distance)
		s += length
		done = s
		if s+6 <= len(hist) {
			table[hash5(load64(hist, s-2), shift)] = base + uint16(s-2)
		}
	}
	t.literals(hist[done:])
}

// common returns how many bytes a and b have in common at their beginnings.
// b is at least as long as a.
func common(a, b []byte) int {
	n := 0
	for ; n+8 <= len(a); n += 8 {
		if x := load64(a, n) ^ load64(b, n); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
	}
	for n < len(a) && a[n] == b[n] {
		n++
	}
	return n
}
