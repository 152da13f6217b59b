package deflate

import (
	"sync"

	"github.com/klauspost/compress/flate"
)

// The decoder is this package's own, and so is the encoder of the fastest
// level, because those of klauspost/compress, which do the other levels, do
// not fit here; their comments say why. In one run of this package's
// benchmarks, with windows of 32 KiB kept and JSON messages of 256 bytes, a
// message took 2 to 6 us to compress, against 80 to 100 us for a klauspost
// writer that is handed the window each time, and 10 us for a compress/flate
// writer of 1.2 MB that the connection keeps; and the results were no larger
// than klauspost's, or by 2 % at most.
//
// klauspost/compress remains for the levels above. Of English text, HTML and
// JSON in messages of 64 KiB the own encoder makes up to 2 % more than its level
// 2, at the same speed; but up to 16 % more than its level 6, in 0.4 to 0.6 of
// the time, and 12 to 28 % more than its level 9, in a seventh or less. With
// windows of 4 KiB it makes up to 12 % more than klauspost's writer for these,
// in 0.2 to 0.7 of the time.

// An encoder compresses one message. It is borrowed while that is under way;
// between messages a connection keeps only its window and a small table.
type encoder struct {
	blockWriter
	matcher matcher
	tokens  tokens
	open    int // how many bytes the tokens stand for

	library *flate.Writer // where a level above the fastest is asked for
	level   int           // of library: as in Options, or -2^bits for a smaller window
	active  bool          // library does this message
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// outKept is the largest memory for compressed bytes that an encoder keeps, so that
// one large message does not stay.
const outKept = 256 << 10

// release gives the encoder back.
func (e *encoder) release() {
	if cap(e.out) > outKept {
		e.out = nil
	}
	e.out, e.bits, e.nb, e.active = e.out[:0], 0, 0, false
	e.matcher.table = nil
	encoders.Put(e)
}

// start begins a message that may refer back to the bytes in w, and to no
// distance beyond limit. The kept table knows these bytes, the last of which
// has the position before end, and learns the message; without one they are
// looked through.
func (e *encoder) start(w *window, limit int, kept []uint16, end uint16) {
	e.tokens.reset()
	m := &e.matcher
	m.limit = limit
	m.n = w.n
	if w.n > 0 {
		w.read(m.hist[:w.n], w.n)
	}
	if kept != nil {
		m.use(kept)
		m.base = end - uint16(m.n)
		return
	}
	clear(m.own[:])
	m.use(m.own[:])
	m.base = 0
	m.index()
}

// startLibrary is start for the other levels.
func (e *encoder) startLibrary(w *window, level, limit int) {
	if limit < maxWindow {
		level = -limit
	}
	if e.library == nil || e.level != level {
		e.library, e.level = newLibrary(level), level
	}
	dict := e.matcher.hist[:w.n]
	if w.n > 0 {
		w.read(dict, w.n)
	}
	e.library.ResetDict(&e.blockWriter, dict)
	e.active = true
}

func newLibrary(level int) *flate.Writer {
	var w *flate.Writer
	var err error
	if level < 0 {
		w, err = flate.NewWriterWindow(nil, -level)
	} else {
		w, err = flate.NewWriter(nil, level)
	}
	if err != nil {
		panic(err) // the options were checked
	}
	return w
}

// write compresses the chunk of p that begins at from, and returns where it
// ends. What it appends to out may lag behind by some chunks, but not at the end
// of p.
func (e *encoder) write(p []byte, from int) (to int) {
	to = min(from+chunkSize, len(p))
	if e.active {
		e.library.Write(p[from:to]) // out takes everything
		return to
	}
	e.matcher.match(&e.tokens, e.matcher.add(p[from:to]))
	e.open += to - from
	if to == len(p) || e.open >= blockSize || e.tokens.room() < chunkSize {
		e.block(&e.tokens, p[to-e.open:to])
		e.tokens.reset()
		e.open = 0
	}
	return to
}

// finish brings all that was written into out, with four bytes at the end that
// a message does not send.
func (e *encoder) finish() {
	if e.active {
		e.library.Flush()
		return
	}
	e.flush()
}

// Write appends what library has compressed.
func (w *blockWriter) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}
