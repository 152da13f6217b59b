package stream

import (
	"context"
	"errors"
	"math"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/wire"
)

const (
	readSize   = 64 << 10  // what one read from a plain socket asks for
	recordSize = 32 << 10  // what a buffer for anything else holds: a TLS record, behind what is left of the last one
	recordMax  = 16 << 10  // the most that a TLS record holds: what is cut off it takes a read of its own
	firstRead  = 4 << 10   // what the first read after a pause asks for, where the buffer waits with it
	inPlace    = 512 << 10 // frames up to this size are read whole into the buffer
	largeFrame = 32 << 10  // from this size on, not much is read behind a frame:
	beyond     = 4 << 10   // this much, or a TLS record
)

// errOver says that nothing more will be read; the terminal event tells why.
var errOver = errors.New("wsflow: the inbound stream is over")

// A stopped is the end of a consumer's context, whatever its cause is.
type stopped struct{ cause error }

func (e *stopped) Error() string { return e.cause.Error() }

// A reader turns bytes into pieces of data frames. Bytes lie in one buffer,
// frames are parsed where they lie.
//
// The consumer (the goroutine that ranges over All, the one that calls Reader,
// or the pump) owns the parsing state and needs no lock for it. What touches
// the transport, the buffer's bounds and the look-ahead needs the lock.
type reader struct {
	c *Conn

	*intake
	base  int64 // offset of buf[0] in the stream of all bytes
	chain chain // the operators' In

	limit  int64
	direct int32 // the largest message that burst takes; negative: none
	size   int32 // of the buffer to borrow next

	current *messageReader // the one that a Reader returned last
	idle    func()         // the consumer's, called before it may wait; may be nil

	mu    ctxMutex // the lock: of the one who reads
	ahead lookAhead
	last  atomic.Int64 // when the last bytes came

	attention atomic.Int32 // pauses held and consumers cancelled: not zero makes a consumer look up
	wanted    atomic.Int32 // consumers that wait for the lock
	assemble  bool         // the consumer takes whole messages, not pieces
	many      bool         // the consumer found many messages in the buffer: it need not be large
	over      bool         // nothing more is read; set under the lock
	drained   bool         // the transport seems to be empty: it was when last asked, or had little
	role      Role
}

// A frame is the state of parsing between two pieces.
type frame struct {
	typ   Type // of the message under way, zero between messages
	rsv   byte // of its first frame
	open  bool // a frame's payload is under way
	begin bool // nothing of the open frame was handed on yet
	first bool // nothing of the message was handed on yet
	fin   bool // the open frame ends the message
	plain bool // no operator wants the message
	text  wire.UTF8
	key   uint32 // mask of the byte after those that are ready
	left  int64  // payload bytes of the open frame not handed on yet
	ready int    // bytes from pos on that are unmasked and validated
}

// acquire takes the lock, calling back whoever reads ahead.
func (r *reader) acquire(ctx context.Context) error {
	if r.mu.tryLock() {
		return nil
	}
	r.wanted.Add(1)
	defer r.wanted.Add(-1)
	r.c.t.interrupt()
	select {
	case r.mu.locking() <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &stopped{context.Cause(ctx)}
	}
}

func (r *reader) release() { r.mu.unlock() }

// fill waits until more bytes stand in the buffer. What the consumer took from
// it before is gone then.
func (r *reader) fill(ctx context.Context) error {
	if r.idle != nil {
		r.idle()
	}
	if err := r.acquire(ctx); err != nil {
		return err
	}
	err := r.refill(ctx)
	r.release()
	if err == nil {
		r.ahead.arm()
	}
	return err
}

// refill is fill under the lock.
func (r *reader) refill(ctx context.Context) error {
	r.parsed()
	if r.takeAhead() {
		return nil
	}
	for !r.over && !r.c.ended() {
		n, err := r.read()
		if n > 0 {
			return nil
		}
		if err == nil {
			continue
		}
		if !interrupted(err) {
			r.stop(err)
			break
		}
		r.c.t.resume()
		if ctx.Err() != nil {
			return &stopped{context.Cause(ctx)}
		}
		if r.c.abandoned() {
			return errOver
		}
	}
	return errOver
}

// parsed tells the look-ahead, under the lock, how far parsing has come. It
// reports whether all of the buffer was parsed, which is empty then.
func (r *reader) parsed() bool {
	r.ahead.passed(behind(r.base+int64(r.pos), r.frame.left))
	if r.pos < r.end {
		return false
	}
	if r.end == 0 {
		return true
	}
	r.base += int64(r.end)
	r.pos, r.end = 0, 0
	if r.slab.Buffer() != nil {
		r.drop()
	}
	return true
}

// stop ends reading under the lock: err is what the transport said, or nil
// after a Close frame.
func (r *reader) stop(err error) {
	if r.over {
		return
	}
	r.over = true
	if err != nil {
		r.c.readFailed(err)
	}
}

// read reads once, behind buf[:end], and returns 0 and no error if a plain
// socket has nothing: the next read waits.
func (r *reader) read() (n int, err error) {
	t := &r.c.t
	switch {
	case t.raw != nil && !r.drained:
		p := r.room()
		n, err = t.tryRead(r.own, p)
		r.drained = n < firstRead && err == nil
	case r.idles():
		return r.await()
	default:
		p := r.room()
		n, err = t.rwc.Read(p)
		r.drained = n < min(len(p), firstRead)
	}
	r.end += n
	r.seen(n)
	if r.drained && t.raw == nil {
		r.size = firstRead
	} else {
		r.size = max(r.size, r.usual())
	}
	return n, err
}

// seen notes the time, if bytes came.
func (r *reader) seen(n int) {
	if n > 0 {
		r.last.Store(int64(now()))
	}
}

// usual is the size of a buffer that nothing has called for a larger one.
func (r *reader) usual() int32 {
	if r.c.t.raw != nil {
		return readSize
	}
	return recordSize
}

// room returns memory behind buf[:end] for the next read; never none.
func (r *reader) room() []byte {
	if r.many {
		r.size, r.many = min(r.size, r.usual()), false
	}
	size, left, least := int(r.size), r.end-r.pos, r.least()
	more := max(beyond, least)
	lack := r.lacking(more)
	switch {
	case r.own == nil:
		r.borrow(size)
	case len(r.buf) != size && left < size:
		r.move(size)
	case len(r.buf)-r.end < least, lack > len(r.buf)-r.end && left <= more && r.pos > 0:
		r.grow(max(left+least, min(left+lack, 2*len(r.buf))))
		r.size = int32(min(len(r.buf), bufpool.MaxPooled))
	}
	p := r.buf[r.end:]
	if lack > 0 {
		p = p[:min(len(p), lack)]
	}
	return p
}

// least returns how many bytes a read is to ask for at least.
func (r *reader) least() int {
	if r.c.t.raw == nil && r.size >= recordSize {
		return recordMax
	}
	return 1
}

// lacking returns how many bytes to ask for where a large frame is read whole
// into the buffer, and 0 anywhere else: those that are missing, and some more,
// but not many, as what comes behind it has to be moved.
func (r *reader) lacking(more int) int {
	f := &r.frame
	if !f.open || f.left < largeFrame || f.left > inPlace || !f.plain || !r.assemble {
		return 0
	}
	return int(f.left) - (r.end - r.pos) + more
}

// letGo gives the buffer back when a loop ends and nothing in it waits, nor is
// used by an operator.
func (r *reader) letGo() {
	if r.chain.more > 0 {
		return
	}
	if !r.mu.tryLock() {
		return // The look-ahead reads; the next loop will see to it.
	}
	if r.parsed() {
		r.drop()
		r.rest()
	}
	r.release()
}

func (r *reader) borrow(n int) {
	r.open()
	r.own = bufpool.Get(n)
	r.buf = r.own.Mem
}

// drop gives the buffer back, or leaves it to the messages in it.
func (r *reader) drop() {
	if r.own == nil {
		return
	}
	if r.slab.Buffer() != nil {
		r.slab.Seal()
	} else {
		r.own.Free()
	}
	r.own, r.buf = nil, nil
}

const (
	sharedMin = 16 << 10  // what there must be in a buffer that messages share
	sharedMax = 128 << 10 // the largest of these buffers
)

// holds reports whether the message that was just returned lies in the buffer.
func (r *reader) holds() bool { return !r.chain.some && r.whole.own == nil }

// share reports whether the messages that lie in the buffer may be given away,
// the buffer with them: whoever keeps one keeps all of it, so it is well
// filled, and not large.
func (r *reader) share() bool {
	if r.slab.Buffer() == nil && r.end >= max(sharedMin, len(r.buf)/2) && len(r.buf) <= sharedMax {
		r.slab.Open(r.own)
		besideOf(r.own).used = 0
	}
	return r.slab.Left() > 0
}

// grow makes the buffer hold n bytes from pos on, moving them to its front or
// into another one.
func (r *reader) grow(n int) {
	if n > len(r.buf) || r.slab.Buffer() != nil {
		r.move(max(n, int(r.usual())))
		return
	}
	moved := copy(r.buf, r.buf[r.pos:r.end])
	r.base += int64(r.pos)
	r.pos, r.end = 0, moved
}

// move moves the bytes from pos on into a buffer of at least n bytes.
func (r *reader) move(n int) {
	own := bufpool.Get(n)
	moved := copy(own.Mem, r.buf[r.pos:r.end])
	r.drop()
	r.base += int64(r.pos)
	r.own, r.buf, r.pos, r.end = own, own.Mem, 0, moved
}

// attend deals with what raised attention: it waits while the connection is
// paused, and returns an error once the consumer's context or its caller ended
// the wait.
func (r *reader) attend(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return &stopped{context.Cause(ctx)}
		}
		if r.c.abandoned() {
			return errOver
		}
		resumed := r.c.pauses.current()
		if resumed == nil {
			return nil
		}
		if err := r.hold(ctx, resumed); err != nil {
			return err
		}
	}
}

// hold waits until resumed is closed, and is the reader meanwhile, for the
// control frames' sake.
func (r *reader) hold(ctx context.Context, resumed <-chan struct{}) error {
	if err := r.acquire(ctx); err != nil {
		return err
	}
	r.ahead.run(func() bool {
		return ctx.Err() != nil || r.c.abandoned() || closed(resumed)
	})
	idle := r.over || r.ahead.held.Load()
	r.release()
	r.ahead.arm() // what is at hand may keep the consumer from the next fill for long
	if !idle {
		return nil
	}
	select {
	case <-resumed:
	case <-ctx.Done():
	case <-r.c.quit.done():
	}
	return nil
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// empty gives all memory back once nothing more is to be parsed.
func (r *reader) empty() {
	r.acquire(context.Background())
	defer r.release()
	r.stop(nil)
	a := &r.ahead
	a.at = math.MaxInt64
	if r.own != nil {
		r.pos, r.end = 0, 0
		r.drop()
	}
	a.own.Free()
	a.own, a.n = nil, 0
	a.held.Store(false)
	r.whole.reset()
}
