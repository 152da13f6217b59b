package deflate

import "encoding/binary"

// A decoder inflates one message, piece by piece, without waiting for any.
//
// It is our own because the decoders that there are pull: they read until they
// have what they want, and an input that has nothing at hand ends them for
// good, so that a message would need a goroutine of its own, or its compressed
// form would have to be complete first. This one stops wherever the bytes end
// and goes on there. It also sees each distance, which must not reach beyond
// the agreed window, writes no further than it has room, and keeps between
// messages nothing but that window. It is no slower: JSON inflates at the rate
// of klauspost/compress in large messages and 1.5 to 3 times as fast in small
// ones, where that one first copies the window to and fro.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.3
type decoder struct {
	in     []byte  // what is left of the piece at hand
	bits   uint64  // taken out of in but not used
	nb     uint    // how many of these
	past   *window // what came before out
	far    int     // the greatest distance allowed
	window window  // for messages that are not to be remembered

	step  step
	final bool // the block at hand is its stream's last
	err   error

	length   int // of the copy or the stored bytes at hand
	distance int

	numLit, numDist, numLens int // of the codes that a block describes
	seen                     int // of their lengths
	lengths                  [litSymbols + 2 + distSymbols + 2]uint8

	lit     *[litTableSize]uint32 // of the block at hand
	dist    *[distTableSize]uint32
	ownLit  [litTableSize]uint32
	ownDist [distTableSize]uint32

	out [pieceSize + 8]byte // bytes that went nowhere yet, and room for a store too many
	n   int                 // of them
}

// pieceSize is the most bytes that are inflated at a time.
const pieceSize = 16 << 10

// A step is what the decoder expects next.
type step uint8

const (
	blockHeader step = iota
	storedHeader
	storedBytes
	codeHeader
	codeLengthLengths
	codeLengths
	symbols
	copying // the rest of a copy, or the bits of the code that follow it
)

// tail ends each message in place of the four bytes that its sender cut off.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.2
var tail = []byte{0x00, 0x00, 0xFF, 0xFF}

var fixedTables = makeFixedTables()

func makeFixedTables() (t struct {
	lit  [litTableSize]uint32
	dist [distTableSize]uint32
}) {
	var lengths [litSymbols + 2]uint8
	for i := range lengths {
		lengths[i] = fixedLit[i].n
	}
	fillTable(t.lit[:], litTableBits, lengths[:], litEntries[:])
	for i := range distSymbols + 2 {
		lengths[i] = fixedDist[i].n
	}
	fillTable(t.dist[:], distTableBits, lengths[:distSymbols+2], distEntries[:])
	return t
}

// errCorrupt says that the input is not DEFLATE.
type errCorrupt string

func (e errCorrupt) Error() string { return string(e) }

const (
	errBlockType   = errCorrupt("reserved block type")
	errStored      = errCorrupt("stored block whose length does not agree with its complement")
	errLitCode     = errCorrupt("impossible code for literals and lengths")
	errDistCode    = errCorrupt("impossible code for distances")
	errLenCode     = errCorrupt("impossible code for code lengths")
	errRepeat      = errCorrupt("code length repeated too often, or before there is one")
	errSymbol      = errCorrupt("symbol that does not exist")
	errFarDistance = errCorrupt("distance beyond the window")
	errTruncated   = errCorrupt("message that ends within a block")
)

// reset makes the decoder ready for a message that may refer back to the bytes
// in past, and as far as far.
func (d *decoder) reset(past *window, far int) {
	d.in, d.bits, d.nb, d.n = nil, 0, 0, 0
	d.window.size = maxWindow
	d.step, d.final, d.err = blockHeader, false, nil
	d.past, d.far = past, far
}

// run inflates until there is no input left or no room in out.
func (d *decoder) run() error {
	for d.err == nil && d.advance() {
	}
	return d.err
}

// finish is run at the end of the message, where the tail must complete the
// last block. It reports whether it came to the end; if not, out is full.
//
// A message that is whole without the tail, because it is empty or its last
// block is a final one, is taken as well: other implementations send and take
// such messages.
func (d *decoder) finish() (done bool, err error) {
	if err := d.run(); err != nil || d.n == pieceSize {
		return false, err
	}
	if d.whole() {
		return true, nil
	}
	d.in = tail
	if err := d.run(); err != nil {
		return false, err
	}
	if !d.whole() {
		return false, errTruncated
	}
	return true, nil
}

func (d *decoder) whole() bool {
	return d.step == blockHeader && d.nb == 0 && len(d.in) == 0
}

// advance takes one step. It reports false if that needs more input or more
// room, or failed.
func (d *decoder) advance() bool {
	switch d.step {
	case blockHeader:
		return d.blockHeader()
	case storedHeader:
		return d.storedHeader()
	case storedBytes:
		return d.storedBytes()
	case codeHeader:
		return d.codeHeader()
	case codeLengthLengths:
		return d.codeLengthLengths()
	case codeLengths:
		return d.codeLengths()
	case copying:
		return d.copying()
	}
	d.symbols()
	return d.err == nil && d.symbol()
}

func (d *decoder) fail(err error) bool {
	d.err = err
	return false
}

// need reports whether n bits are at hand, 56 at most.
func (d *decoder) need(n uint) bool {
	for d.nb < n {
		if len(d.in) == 0 {
			return false
		}
		d.bits |= uint64(d.in[0]) << (d.nb & 63)
		d.in = d.in[1:]
		d.nb += 8
	}
	return true
}

// take removes n bits that are at hand.
func (d *decoder) take(n uint) (v uint32) {
	v = uint32(d.bits & (1<<n - 1))
	d.bits >>= n
	d.nb -= n
	return v
}

// lookup returns the entry for the next bits and how many of them are its
// code; these may be more than are at hand.
func lookup(table []uint32, width uint, bits uint64) (e uint32, n uint) {
	e = table[bits&(1<<width-1)]
	if e&entryTable == 0 {
		return e, uint(e & 15)
	}
	e = table[uint64(e>>16)+bits>>width&(1<<(e>>4&15)-1)]
	return e, width + uint(e&15)
}

// symbol decodes one literal or one copy, wherever the input and the room end.
// symbols does the same faster where both last for a while.
func (d *decoder) symbol() bool {
	if d.n == pieceSize {
		return false
	}
	d.need(56) // or as many as there are
	e, n := lookup(d.lit[:], litTableBits, d.bits)
	extra := uint(e >> 4 & 15)
	switch {
	case d.nb < n+extra:
		return false
	case e&entryBad != 0:
		return d.fail(errSymbol)
	case e&entryLiteral != 0:
		d.take(n)
		d.out[d.n] = byte(e >> 16)
		d.n++
		return true
	case e&entryEnd != 0:
		d.take(n)
		return d.endBlock()
	}
	length := int(e>>16) + int(d.bits>>n&(1<<extra-1))
	used := n + extra
	e, n = lookup(d.dist[:], distTableBits, d.bits>>used)
	used += n
	extra = uint(e >> 4 & 15)
	switch {
	case d.nb < used+extra:
		return false
	case e&entryBad != 0:
		return d.fail(errSymbol)
	}
	d.take(used)
	d.length = length
	d.distance = int(e>>16) + int(d.take(extra))
	if d.distance > min(d.far, d.past.n+d.n) {
		return d.fail(errFarDistance)
	}
	d.step = copying
	return true
}

// copying copies as much as there is room for.
func (d *decoder) copying() bool {
	n := min(d.length, pieceSize-d.n)
	d.copyBack(n, d.distance)
	if d.length -= n; d.length > 0 {
		return false
	}
	d.step = symbols
	return true
}

// copyBack appends to out length bytes from distance before, for which there
// is room.
func (d *decoder) copyBack(length, distance int) {
	if back := distance - d.n; back > 0 { // before out
		n := min(length, back)
		d.past.read(d.out[d.n:d.n+n], back)
		d.n += n
		length -= n
	}
	for length > 0 { // what is copied may grow as it is
		n := copy(d.out[d.n:d.n+length], d.out[d.n-distance:d.n])
		d.n += n
		length -= n
	}
}

// symbols decodes literals and copies while there are eight bytes of input and
// room for the longest copy, and the literals that may go before it. It leaves
// the end of the block to symbol. It is one piece because most time goes by
// here, and Go keeps only what is local in registers.
func (d *decoder) symbols() {
	in, bits, nb, n := d.in, d.bits, d.nb, d.n
	lit, dist, out := d.lit, d.dist, &d.out
	past, far := d.past.n, d.far
loop:
	for len(in) >= 8 && n <= pieceSize-maxMatch-16 {
		bits |= binary.LittleEndian.Uint64(in) << (nb & 63)
		in = in[(63-nb)>>3:]
		nb |= 56 // a copy has 48 at most
		e := lit[bits&(1<<litTableBits-1)]
		for e&entryLiteral != 0 {
			bits >>= e & 15
			nb -= uint(e & 15)
			out[n] = byte(e >> 16)
			n++
			if nb < 48 {
				continue loop
			}
			e = lit[bits&(1<<litTableBits-1)]
		}
		used := uint(e & 15)
		if e&entryTable != 0 {
			e, used = lookup(lit[:], litTableBits, bits)
		}
		if e&(entryEnd|entryBad) != 0 {
			break
		}
		bits >>= used & 63
		nb -= used
		if e&entryLiteral != 0 {
			out[n] = byte(e >> 16)
			n++
			continue
		}
		extra := uint(e >> 4 & 15)
		length := int(e>>16) + int(bits&(1<<extra-1))
		bits >>= extra
		nb -= extra
		e = dist[bits&(1<<distTableBits-1)]
		used = uint(e & 15)
		if e&entryTable != 0 {
			e, used = lookup(dist[:], distTableBits, bits)
		}
		if e&entryBad != 0 {
			d.err = errSymbol
			break
		}
		bits >>= used & 63
		extra = uint(e >> 4 & 15)
		distance := int(e>>16) + int(bits&(1<<extra-1))
		bits >>= extra
		nb -= used + extra
		if distance > min(far, past+n) {
			d.err = errFarDistance
			break
		}
		if distance > n || distance < 8 {
			d.n = n
			d.copyBack(length, distance)
			n = d.n
			continue
		}
		for to, end := n, n+length; to < end; to += 8 {
			binary.LittleEndian.PutUint64(out[to:], binary.LittleEndian.Uint64(out[to-distance:]))
		}
		n += length
	}
	d.in, d.bits, d.nb, d.n = in, bits&(1<<nb-1), nb, n
}
