package deflate

// A window holds the last bytes of one direction of a connection: what later
// messages may refer back to. It is a ring that grows with what comes, by
// doubling, up to its size; an empty window holds no memory.
type window struct {
	buf  []byte
	n    int // bytes held
	at   int // where the next byte goes
	size int // the most it holds
}

// add appends p; what is older than the size falls out.
func (w *window) add(p []byte) {
	if len(p) > w.size {
		p = p[len(p)-w.size:]
	}
	if need := w.n + len(p); need > len(w.buf) && len(w.buf) < w.size {
		w.grow(need)
	}
	if n := copy(w.buf[w.at:], p); n < len(p) {
		w.at = copy(w.buf, p[n:])
	} else {
		w.at += n
	}
	w.n = min(w.n+len(p), len(w.buf))
}

// grow makes room for need bytes, or for the whole size. The window has not
// wrapped round before it has its whole size, so that its bytes lie in order.
func (w *window) grow(need int) {
	room := min(w.size, 1<<10)
	for room < need && room < w.size {
		room = min(2*room, w.size)
	}
	buf := make([]byte, room)
	w.at = copy(buf, w.buf[:w.n])
	w.buf = buf
}

// read fills p with the bytes that begin back bytes before the end. There must
// be as many: len(p) <= back <= n.
func (w *window) read(p []byte, back int) {
	from := w.at - back
	if from < 0 {
		from += len(w.buf)
	}
	if n := copy(p, w.buf[from:]); n < len(p) {
		copy(p[n:], w.buf)
	}
}

// clear forgets the bytes and keeps the memory.
func (w *window) clear() { w.n, w.at = 0, 0 }
