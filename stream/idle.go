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
	if r.begun() {
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
	r.msg.recall()
	return false, r.fill(ctx, 1)
}

// waits reports, under the lock, that what comes next is worth waiting for with
// one byte of memory: the buffer is empty, and the plain socket seems to be. Of
// anything else nobody knows; in the middle of a frame it may have no second byte,
// for which it would wait.
func (r *reader) waits() bool {
	switch {
	case r.pos < r.filled:
		return false
	case r.c.t.raw != nil:
		return r.drained
	}
	return !r.frame.open
}

// await waits, under the lock, holding one byte of memory, and borrows the
// buffer once there is something.
func (r *reader) await(want int) (n int, err error) {
	if r.sparse {
		r.ahead.disarm()
	}
	r.drop()
	r.rest()
	n, err = r.c.t.await()
	if n == 0 && (err != nil || r.c.t.raw == nil) {
		return 0, err
	}
	r.drained = false
	if n == 0 {
		return r.read(want)
	}
	return r.second(want), nil
}

// second reads what follows the first byte, which was read. An error comes again,
// behind what came.
func (r *reader) second(want int) (n int) {
	p := r.room(want, r.pace.next(), r.pace.least())
	p[0], n = r.c.t.first[0], 1
	r.seen(n)
	if len(p) > 1 {
		m, _ := r.tryRead(p[1:])
		n += m
	}
	r.came(n)
	r.pace.read(want, r.end-r.pos, len(p), n)
	return n
}

// passControl deals with the control frame at the parse cursor; begun says that
// what is there is a data frame, or not all of a header.
func (r *reader) passControl(ctx context.Context) (begun bool, err error) {
	if Type(r.buf[r.pos]&0x0F) < Close {
		return true, nil
	}
	h, n, err := r.header()
	if err != nil || n == 0 {
		return err == nil, err
	}
	return false, r.control(ctx, h, n)
}
