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
		if Type(r.buf[r.pos]&0x0F) < Close {
			return true, nil
		}
		return r.control(ctx)
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

// await waits, under the lock, holding one byte of memory. It returns 1 if the first
// byte was read into that; else a plain socket has something, unless there is an error.
func (r *reader) await() (n int, err error) {
	if r.sparse {
		r.ahead.disarm()
	}
	r.drop()
	r.rest()
	if n, err = r.c.t.await(); err == nil {
		r.drained = false
	}
	return n, err
}
