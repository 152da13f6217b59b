package deflate

// The steps of a decoder from the header of a block to its symbols, and
// through a stored one.

func (d *decoder) blockHeader() bool {
	if !d.need(3) {
		return false
	}
	d.final = d.take(1) == 1
	switch d.take(2) {
	case 0:
		d.take(d.nb & 7)
		d.step = storedHeader
	case 1:
		d.lit, d.dist = &fixedTables.lit, &fixedTables.dist
		d.step = symbols
	case 2:
		d.step = codeHeader
	default:
		return d.fail(errBlockType)
	}
	return true
}

// endBlock goes on to the next block. A final block ends its stream at a byte
// boundary; the next one begins there.
//
// https://www.rfc-editor.org/rfc/rfc7692.html#section-7.2.3.4
func (d *decoder) endBlock() bool {
	if d.final {
		d.take(d.nb & 7)
	}
	d.step = blockHeader
	return true
}

func (d *decoder) storedHeader() bool {
	if !d.need(32) {
		return false
	}
	length, complement := d.take(16), d.take(16)
	if length != ^complement&0xFFFF {
		return d.fail(errStored)
	}
	d.length = int(length)
	d.step = storedBytes
	return true
}

func (d *decoder) storedBytes() bool {
	for d.length > 0 && d.nb >= 8 && d.n < pieceSize {
		d.out[d.n] = byte(d.take(8))
		d.n++
		d.length--
	}
	n := copy(d.out[d.n:pieceSize], d.in[:min(len(d.in), d.length)])
	d.in = d.in[n:]
	d.n += n
	if d.length -= n; d.length > 0 {
		return false
	}
	return d.endBlock()
}

// codeHeader begins the description of a block's own codes.
//
// https://www.rfc-editor.org/rfc/rfc1951.html#section-3.2.7
func (d *decoder) codeHeader() bool {
	if !d.need(5 + 5 + 4) {
		return false
	}
	d.numLit = int(d.take(5)) + 257
	d.numDist = int(d.take(5)) + 1
	d.numLens = int(d.take(4)) + 4
	switch {
	case d.numLit > litSymbols:
		return d.fail(errLitCode)
	case d.numDist > distSymbols:
		return d.fail(errDistCode)
	}
	clear(d.lengths[:lenSymbols])
	d.seen = 0
	d.step = codeLengthLengths
	return true
}

func (d *decoder) codeLengthLengths() bool {
	for ; d.seen < d.numLens; d.seen++ {
		if !d.need(3) {
			return false
		}
		d.lengths[lenOrder[d.seen]] = uint8(d.take(3))
	}
	if !fillTable(d.ownDist[:], lenTableBits, d.lengths[:lenSymbols], lenEntries[:]) {
		return d.fail(errLenCode)
	}
	d.seen = 0
	d.step = codeLengths
	return true
}

func (d *decoder) codeLengths() bool {
	all := d.numLit + d.numDist
	for d.seen < all {
		d.need(maxLenCodeBits + 7) // or as many as there are
		e := d.ownDist[d.bits&(1<<lenTableBits-1)]
		n, extra := uint(e&15), uint(e>>4&15)
		if d.nb < n+extra {
			return false
		}
		if e&entryBad != 0 {
			return d.fail(errSymbol)
		}
		d.take(n)
		length, times := uint8(e>>16), 1
		switch length {
		case 16:
			if d.seen == 0 {
				return d.fail(errRepeat)
			}
			length, times = d.lengths[d.seen-1], 3
		case 17:
			length, times = 0, 3
		case 18:
			length, times = 0, 11
		}
		times += int(d.take(extra))
		if times > all-d.seen {
			return d.fail(errRepeat)
		}
		for range times {
			d.lengths[d.seen] = length
			d.seen++
		}
	}
	return d.codes()
}

func (d *decoder) codes() bool {
	lit, dist := d.lengths[:d.numLit], d.lengths[d.numLit:d.numLit+d.numDist]
	switch {
	case !fillTable(d.ownLit[:], litTableBits, lit, litEntries[:]):
		return d.fail(errLitCode)
	case !fillTable(d.ownDist[:], distTableBits, dist, distEntries[:]):
		return d.fail(errDistCode)
	}
	d.lit, d.dist = &d.ownLit, &d.ownDist
	d.step = symbols
	return true
}
