package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	minMatch = 4
	maxMatch = 258

	maxWindow = 1 << maxWindowBits
	chunkSize = 16 << 10 // what one block covers
	tableBits = 13
)

// Tokens are a block before it is coded: literal bytes, and copies of what
// came before.
type tokens struct {
	list [chunkSize]uint32 // a byte, or isCopy | length-3 << 16 | distance-1
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
	t.list[t.n] = isCopy | l<<16 | d
	t.n++
	t.lit[endOfBlock+1+int(lengthSymbol[uint8(l)])]++
	t.dist[distSymbol(d)]++
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
	mem   [1 << tableBits]uint16 // of the table
}

func load32(p []byte, i int) uint32 { return binary.LittleEndian.Uint32(p[i : i+4]) }
func load64(p []byte, i int) uint64 { return binary.LittleEndian.Uint64(p[i : i+8]) }

// hash5 hashes the low five bytes of v.
func hash5(v uint64, shift uint) uint64 { return (v << 24) * 0xCF1BBCDCB7A56463 >> shift }

func (m *matcher) shift() uint { return uint(64 - bits.Len(uint(len(m.table)-1))) }

// index puts all of hist into the table.
func (m *matcher) index() {
	hist, shift := m.hist[:m.n], m.shift()&63
	for i := 0; i+8 <= len(hist); i++ {
		m.table[hash5(load64(hist, i), shift)] = m.base + uint16(i)
	}
}

// keep copies the table, which must have the size of kept, and returns the
// position that comes after hist.
func (m *matcher) keep(kept []uint16) (end uint16) {
	copy(kept, m.table)
	return m.base + uint16(m.n)
}

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
	hist, table, shift := m.hist[:m.n], m.table, m.shift()&63
	done := from // what lies before has its tokens
	for s := from; s+8 <= len(hist); {
		v := load64(hist, s)
		distance := m.look(table, hash5(v, shift), s)
		if distance == 0 || load32(hist, s-distance) != uint32(v) {
			s += 1 + min((s-done)>>5, 7)
			continue
		}
		length := minMatch + common(hist[s+minMatch:min(s+maxMatch, len(hist))], hist[s+minMatch-distance:])
		for s > done && s > distance && length < maxMatch && hist[s-1] == hist[s-1-distance] {
			s--
			length++
		}
		t.literals(hist[done:s])
		t.copy(length, distance)
		s += length
		done = s
		if s+6 <= len(hist) {
			m.look(table, hash5(load64(hist, s-2), shift), s-2)
		}
	}
	t.literals(hist[done:])
}

// look returns how far before s, as far as a copy may reach, the table has
// seen the hash, or 0, and notes it for s.
func (m *matcher) look(table []uint16, hash uint64, s int) (distance int) {
	at := &table[hash]
	position := m.base + uint16(s)
	distance = int(position - *at)
	*at = position
	if distance > min(s, m.limit) {
		return 0
	}
	return distance
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
