package stream

import "github.com/wsflow/wsflow/internal/wire"

const (
	readSize   = 64 << 10 // what one read from a plain socket asks for
	recordSize = 32 << 10 // what a buffer for anything else holds: a TLS record, behind what is left of the last one
	recordMax  = 16 << 10 // the most that a TLS record holds: what is cut off it takes a read of its own

	// severalSize is about how many bytes of large frames are read at once for those
	// who keep messages: each read wakes one up.
	severalSize = 4*readSize + readSize/2
)

// A pace says how much to read at a time.
type pace struct {
	plain bool   // from a plain socket, whose buffer is borrowed once something is there; never changes
	whole uint16 // the largest of the large frames that came whole, in KiB; 0: there was none
	size  int32  // of the next buffer; 0: nothing was read yet
	rich  bool   // the last read got all that it asked for, or more than a large frame
}

// next returns the size of the buffer to borrow next, which has room for several
// large frames where those are welcome and come one behind the other.
func (p pace) next(several bool) int {
	switch {
	case several && p.plain && p.rich && p.size > readSize:
		frame := p.frame()
		return max(1, severalSize/frame)*frame + p.least()
	case p.size > 0:
		return int(p.size)
	case p.plain:
		return readSize
	}
	return leastRoom
}

// frame returns how many bytes of a buffer are there for a frame.
func (p pace) frame() int { return int(p.size) - p.least() }

// least returns how many bytes to ask for at least.
func (p pace) least() int {
	if !p.plain && p.size >= recordSize {
		return recordMax
	}
	return leastRoom
}

// read takes in that a read got so many of the bytes that it asked for, and that
// so many are there now of those that are wanted. Buffers are as large as large
// frames need for as long as those come; a frame larger than all before it has to
// come first. Where a buffer waits with the read, little traffic makes it small.
func (p *pace) read(want, have, asked, got int) {
	usual := int32(recordSize)
	if p.plain {
		usual = readSize
	}
	p.rich = got == asked || got > p.frame()
	switch {
	case want > inPlace:
	case want >= largeFrame:
		if have >= want {
			p.whole = max(p.whole, uint16((want+1<<10-1)>>10))
		}
		believed := min(want, max(2*have, int(p.whole)<<10))
		p.size = max(p.size, usual, int32(believed+wire.MaxHeader+p.least()))
	case !p.plain && got < min(asked, leastRoom):
		p.size = leastRoom
	case p.size < usual, got == asked:
		p.size = usual
	}
}
