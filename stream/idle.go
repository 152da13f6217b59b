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

// await waits, under the lock, between two frames, until a transport that seems
// to be empty has something to read, and holds one byte of memory meanwhile; the
// buffer is borrowed then. No frame is that short, so reading goes on.
func (r *reader) await() {
	if !r.drained || r.frame.open || !r.parsed() || r.ahead.n > 0 || r.over || r.c.ended() {
		return
	}
	r.drop()
	n, err := r.c.t.read(r.first[:], nil)
	r.seen(n)
	if n > 0 || err == nil {
		r.drained = n == 0 || r.c.t.raw == nil
		r.borrow(r.size)
		r.end = copy(r.buf, r.first[:n])
	} else if !interrupted(err) {
		r.stop(err)
	}
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
