package stream

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// errOver says that nothing more will be read; the terminal event tells why.
var errOver = errors.New("wsflow: the inbound stream is over")

// A stopped is the end of a consumer's context, whatever its cause is.
type stopped struct{ cause error }

func (e *stopped) Error() string { return e.cause.Error() }

// A reader is the shell around inbound: it reads, waits, and hands on what comes
// of it.
//
// Who holds mu reads from the transport: the consumer while it waits for bytes,
// or the look-ahead while the consumer is away. It is held for what inbound
// guards, too.
type reader struct {
	c *Conn

	inbound
	most int // the largest message that burst takes; negative: none; never changes

	// Consumer only.
	current *messageReader // the one that a Reader returned last
	idle    func()         // called before the consumer may wait; may be nil
	watched bool           // what it hands messages to may keep it for long
	tag     *tag           // of the messages; nil unless they are a Relay's

	// Guarded by mu.
	mu      ctxMutex
	ahead   lookAhead
	pace    pace
	over    bool // nothing more is read
	drained bool // the transport seems to be empty: it was when last asked, or had little
	sparse  bool // more than a round of the watch lies between the last two reads

	// Of anybody.
	last      atomic.Int64 // when the last bytes came
	attention atomic.Int32 // pauses held and consumers cancelled: not zero makes a consumer look up
	wanted    atomic.Int32 // consumers that wait for mu
	listening listening
	counts    inboundCounts
}

func (c *Conn) initReader(role Role, o *Options) {
	r := &c.r
	r.c, r.parsing, r.role, r.limit = c, &idle, role, o.SizeLimit
	r.drained = true
	r.last.Store(int64(now()))
	r.ahead.r, r.ahead.bound = r, o.LookAhead
	if n := len(o.Buffered); n > 0 {
		copy(r.room(0, n, n), o.Buffered)
		r.came(n)
		r.counts.read(n)
	}
}

// begin says, once the operators are attached and the transport is there, which
// messages burst takes and how reading is paced.
func (r *reader) begin() {
	r.pace.plain = r.c.t.raw != nil
	r.most = -1
	if r.role == Client && !r.chain.all {
		r.most = inPlace
		if r.limit >= 0 {
			r.most = int(min(inPlace, r.limit))
		}
	}
}

// acquire takes the lock, calling back whoever reads ahead.
func (r *reader) acquire(ctx context.Context) error {
	if r.tryAcquire() {
		return nil
	}
	r.wanted.Add(1)
	defer r.wanted.Add(-1)
	r.c.t.interrupt()
	select {
	case r.mu.locking() <- struct{}{}:
		r.heard()
		return nil
	case <-ctx.Done():
		return &stopped{context.Cause(ctx)}
	}
}

// tryAcquire takes the lock if it is free.
func (r *reader) tryAcquire() bool {
	ok := r.mu.tryLock()
	if ok {
		r.heard()
	}
	return ok
}

func (r *reader) release() {
	r.mu.unlock()
	r.heard()
}

// fill waits until more bytes are known to the consumer, who wants so many from
// the parse cursor on. What it took before is gone then.
func (r *reader) fill(ctx context.Context, want int) error {
	if r.idle != nil {
		r.idle()
	}
	if err := r.acquire(ctx); err != nil {
		return err
	}
	err := r.refill(ctx, want)
	r.release()
	if err == nil && r.watched {
		r.ahead.arm()
	}
	return err
}

// refill is fill under the lock.
func (r *reader) refill(ctx context.Context, want int) error {
	r.catchUp()
	r.ahead.progress()
	if r.advance(want) {
		return nil
	}
	for !r.over && !r.c.ended() {
		if ctx.Err() != nil {
			return &stopped{context.Cause(ctx)}
		}
		if r.c.abandoned() {
			return errOver
		}
		first, more, err := 0, true, error(nil)
		if r.waits() { // here, as a connection that waits needs little stack then
			first, err = r.await()
			more = first > 0 || err == nil && r.c.t.raw != nil
		}
		n := 0
		if more {
			n, err = r.read(want, first)
		}
		switch {
		case n > 0:
			return nil
		case err == nil:
		case r.c.t.recalled(err):
			r.c.t.resume()
		default:
			r.stop(err)
		}
	}
	return errOver
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

// read reads once, for the consumer, behind the first byte if that has come, and returns
// 0 and no error if a plain socket has nothing: then the consumer waits. Behind what
// came, an error comes again.
func (r *reader) read(want, first int) (n int, err error) {
	p := r.room(want, r.pace.next(!r.watched), r.pace.least())
	if first > 0 {
		p[0] = r.c.t.first[0]
		r.seen(first)
	}
	if first < len(p) {
		n, err = r.tryRead(p[first:])
	}
	n += first
	r.came(n)
	r.pace.read(want, r.end-r.pos, len(p), n)
	return n, err
}

// tryRead reads into p: what a plain socket has at once, or, where that or
// anything else seems to have nothing, what comes some time.
func (r *reader) tryRead(p []byte) (n int, err error) {
	t := &r.c.t
	if t.raw != nil && !r.drained {
		n, err = t.tryRead(p)
		r.drained = n < min(len(p), leastRoom) && err == nil
	} else {
		n, err = t.rwc.Read(p)
		r.drained = n < min(len(p), leastRoom)
	}
	r.seen(n)
	return n, err
}

// seen notes the time and the number, if bytes came.
func (r *reader) seen(n int) {
	if n > 0 {
		r.counts.read(n)
		at := int64(now())
		r.sparse = at-r.last.Swap(at) > int64(watchEvery)
	}
}

// letGo gives the buffer back when a loop ends and nothing in it waits, nor is
// used by an operator.
func (r *reader) letGo() {
	if r.chain.more > 0 || !r.tryAcquire() {
		return // Or the look-ahead reads; the next loop will see to it.
	}
	r.catchUp()
	if r.pos == r.filled {
		r.msg.recall()
		r.drop()
		r.rest()
	}
	r.release()
}

// empty gives all memory back once nothing more is to be parsed.
func (r *reader) empty() {
	r.acquire(context.Background())
	defer r.release()
	r.stop(nil)
	r.clear()
	r.ahead.held.Store(false)
}

const (
	sharedMin = 16 << 10 // what there must be in a buffer that messages share
	sharedMax = 1 << 20  // the largest of these buffers
)

// share reports whether the messages that lie in the buffer may be given away,
// the buffer with them: whoever keeps one keeps all of it, so it is well
// filled, and not large.
func (r *reader) share() bool {
	if !r.shares() {
		return false
	}
	if r.slab.Buffer() == nil {
		r.slab.Open(r.own)
		besideOf(r.own).used = 0
	}
	return true
}

// shares returns what share would.
func (r *reader) shares() bool {
	if r.slab.Buffer() == nil {
		return r.end >= max(sharedMin, len(r.buf)/2) && len(r.buf) <= sharedMax
	}
	return r.slab.Left() > 0
}

// piece returns the next piece of a data frame, as it came off the wire.
// Control frames on the way are dealt with.
func (r *reader) piece(ctx context.Context) (Frame, error) {
	if !r.frame.open {
		if err := r.openFrame(ctx); err != nil {
			return Frame{}, err
		}
	}
	for {
		if r.attention.Load() != 0 {
			if err := r.attend(ctx); err != nil {
				return Frame{}, err
			}
		}
		f, want, err := r.inbound.piece()
		if err != nil || want == 0 {
			r.counts.passed(r.passed)
			return f, err
		}
		if err := r.fill(ctx, want); err != nil {
			return Frame{}, err
		}
	}
}

// openFrame reads up to the payload of the next data frame.
func (r *reader) openFrame(ctx context.Context) error {
	for {
		h, n, err := r.header()
		switch {
		case err != nil:
			return err
		case n == 0:
			if err := r.fill(ctx, headerSize(r.buf[r.pos:r.end])); err != nil {
				return err
			}
		case h.Opcode < byte(Close):
			r.pos += n
			return r.openData(h)
		default:
			if _, err := r.control(ctx); err != nil {
				return err
			}
		}
	}
}

// message returns the next whole message. Its bytes are lent until the next
// call.
func (r *reader) message(ctx context.Context) (Message, error) {
	r.msg.recall()
	for {
		if r.attention.Load() != 0 {
			if err := r.attend(ctx); err != nil {
				return Message{}, err
			}
		}
		f, err := r.next(ctx)
		if err != nil {
			return Message{}, err
		}
		a := &r.msg
		if a.skip {
			a.skip = !f.Last
			continue
		}
		if size := int64(a.n) + int64(len(f.Payload)); r.limit >= 0 && size > r.limit {
			return Message{}, tooBig(size, r.limit)
		}
		if f.First && f.Last && a.n == 0 {
			return Message{Type: f.Type, Data: f.Payload, tag: r.tag}, nil
		}
		a.typ = f.Type
		a.add(f.Payload, r.limit)
		if f.Last {
			m := a.message()
			m.tag = r.tag
			return m, nil
		}
	}
}

func (r *reader) burst(yield func(Message, error) bool) (more bool) {
	more = r.inbound.burst(r.most, &r.attention, r.tag, yield)
	r.counts.passed(r.passed)
	return more
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

// hold waits until resumed is closed. It reads a little ahead itself, for the
// control frames' sake, and leaves it to the look-ahead to go on.
func (r *reader) hold(ctx context.Context, resumed <-chan struct{}) error {
	if err := r.acquire(ctx); err != nil {
		return err
	}
	r.catchUp()
	r.ahead.progress()
	r.ahead.run(min(r.ahead.bound, littleAhead), func() bool {
		return ctx.Err() != nil || r.c.abandoned() || closed(resumed)
	})
	r.release()
	r.ahead.arm()
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

// spoil poisons lent messages, except those that lie in an operator's memory.
func (r *reader) spoil(lent ...Message) {
	if !raceDetector || r.chain.some {
		return
	}
	for _, m := range lent {
		if m.own == nil {
			bufpool.Poison(m.Data)
		}
	}
}

// spoiling poisons what yield was lent.
func (r *reader) spoiling(yield func(Message, error) bool) func(Message, error) bool {
	return func(m Message, err error) bool {
		defer r.spoil(m)
		return yield(m, err)
	}
}
