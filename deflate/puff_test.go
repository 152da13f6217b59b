package deflate

import (
	"errors"
	"fmt"
	"slices"
)

// puff inflates in the most literal reading of RFC 1951, one bit at a time,
// and notes the greatest distance of a copy. It is the judge of what the
// encoders write; the decoder has compress/flate for its own.
type puff struct {
	in       []byte
	at       int // in bits
	out      []byte
	farthest int
}

var errPuff = errors.New("not DEFLATE")

// inflatePuff returns what the compressed message and the tail hold, after
// history.
func inflatePuff(history, message []byte) (plain []byte, farthest int, err error) {
	p := &puff{in: slices.Concat(message, tail), out: slices.Clone(history)}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("at bit %d of %d: %v", p.at, 8*len(p.in), r)
		}
	}()
	for p.at < 8*len(p.in) {
		p.block()
	}
	return p.out[len(history):], p.farthest, nil
}

func (p *puff) bit() int {
	v := int(p.in[p.at/8]>>(p.at%8)) & 1
	p.at++
	return v
}

func (p *puff) bits(n int) (v int) {
	for i := range n {
		v |= p.bit() << i
	}
	return v
}

func (p *puff) block() {
	final := p.bits(1)
	if final == 1 {
		panic("a final block, which no encoder here may write")
	}
	switch p.bits(2) {
	case 0:
		p.at = (p.at + 7) / 8 * 8
		n, c := p.bits(16), p.bits(16)
		if n^c != 0xFFFF {
			panic(errPuff)
		}
		for range n {
			p.out = append(p.out, byte(p.bits(8)))
		}
	case 1:
		lit := slices.Concat(slices.Repeat([]int{8}, 144), slices.Repeat([]int{9}, 112),
			slices.Repeat([]int{7}, 24), slices.Repeat([]int{8}, 8))
		dist := slices.Repeat([]int{5}, 30)
		p.symbols(lit, dist)
	case 2:
		p.symbols(p.codes())
	default:
		panic(errPuff)
	}
}

func (p *puff) codes() (lit, dist []int) {
	nlit, ndist, nlen := p.bits(5)+257, p.bits(5)+1, p.bits(4)+4
	lens := make([]int, 19)
	for _, i := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}[:nlen] {
		lens[i] = p.bits(3)
	}
	lenCode := newPuffCode(lens)
	var all []int
	for len(all) < nlit+ndist {
		switch sym := p.symbol(&lenCode); sym {
		case 16:
			all = append(all, slices.Repeat(all[len(all)-1:], 3+p.bits(2))...)
		case 17:
			all = append(all, make([]int, 3+p.bits(3))...)
		case 18:
			all = append(all, make([]int, 11+p.bits(7))...)
		default:
			all = append(all, sym)
		}
	}
	if len(all) > nlit+ndist {
		panic(errPuff)
	}
	return all[:nlit], all[nlit:]
}

// A puffCode lists the symbols of each code length in their order, in which
// their codes count up.
type puffCode [16][]int

func newPuffCode(lengths []int) (c puffCode) {
	for sym, n := range lengths {
		c[n] = append(c[n], sym)
	}
	return c
}

func (p *puff) symbol(c *puffCode) int {
	code, first := 0, 0 // first is the lowest code of n bits
	for n := 1; n <= 15; n++ {
		code = code<<1 | p.bit()
		if i := code - first; i < len(c[n]) {
			return c[n][i]
		}
		first = (first + len(c[n])) << 1
	}
	panic(errPuff)
}

func (p *puff) symbols(lit, dist []int) {
	litCode, distCode := newPuffCode(lit), newPuffCode(dist)
	for {
		sym := p.symbol(&litCode)
		if sym < 256 {
			p.out = append(p.out, byte(sym))
			continue
		}
		if sym == 256 {
			return
		}
		length := puffLengths[sym-257] + p.bits(puffLengthBits[sym-257])
		sym = p.symbol(&distCode)
		distance := puffDistances[sym] + p.bits(puffDistanceBits[sym])
		p.farthest = max(p.farthest, distance)
		for range length {
			p.out = append(p.out, p.out[len(p.out)-distance])
		}
	}
}

// The tables of RFC 1951, section 3.2.5, as they are printed there.
var (
	puffLengths = []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31,
		35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	puffLengthBits = []int{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2,
		3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	puffDistances = []int{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769,
		1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	puffDistanceBits = []int{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8,
		9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)
