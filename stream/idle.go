package stream

import "context"

// An idle connection waits between two messages, and there may be many of
// them. What it holds meanwhile is kept small: no buffer and, on a plain socket,
// a stack of 2 KiB. A goroutine begins with such a stack, and once it had to
// grow it stays large. So the functions here, and what they call, wait, take
// memory and deal with control frames at little depth; the path that whole
// messages and their pieces take is twice as deep.

// between waits for bytes, or deals with a control frame, where a message might
// begin; begun says that one has.
func (r *reader) between(ctx context.Context) (begun bool, err error) {
	if r.frame.typ != 0 || r.chain.more != 0 {
		return true, nil
	}
	if r.attention.Load() != 0 {
		if err := r.attend(ctx); err != nil {
			return false, err
		}
	}
	if r.pos < r.end {
		return r.passControl(ctx)
	}
	r.whole.recall()
	return false, r.fill(ctx)
}

// idles reports, under the lock, that what comes next is worth waiting for with
// one byte of memory: the buffer is empty, and the plain socket seems to be. Of
// anything else nobody knows; in the middle of a frame it may have no second byte,
// for which it would wait.
func (r *reader) idles() bool {
	if r.pos < r.end {
		return false
	}
	if r.c.t.raw != nil {
		return r.drained
	}
	return !r.frame.open
}

// await waits, under the lock, holding one byte of memory, and borrows the
// buffer once there is something.
func (r *reader) await() (n int, err error) {
	r.drop()
	r.rest()
	n, err = r.c.t.await()
	if n == 0 && (err != nil || r.c.t.raw == nil) {
		return 0, err
	}
	r.drained = false
	if n == 0 {
		return r.read()
	}
	r.seen(n)
	r.borrow(int(r.size))
	r.buf[0], r.end = r.c.t.first[0], 1
	m, err := r.read()
	if m == 0 && err != nil && !interrupted(err) {
		r.stop(err)
	}
	return n + m, nil
}

// passControl deals with the control frame at pos; begun says that what is
// there is a data frame, or not all of a header.
func (r *reader) passControl(ctx context.Context) (begun bool, err error) {
	p := r.buf[r.pos:r.end]
	if Type(p[0]&0x0F) < Close {
		return true, nil
	}
	h, n, err := r.parse(p)
	if err != nil || n == 0 {
		return err == nil, err
	}
	return false, r.control(ctx, h, n)
}
