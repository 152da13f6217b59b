package stream

import (
	"context"
	"math"
	"slices"

	"github.com/wsflow/wsflow/internal/bufpool"
)

const (
	batchMax  = 256 // the most messages in a batch
	bundleMax = 64  // the most that go to an Observable's producer at a time
	batchPart = 16  // a batch has at most this part of the bytes that its queue may hold, and a hand
)

// Batches is Chan with slices: each has the messages that came with one read
// from the network, at most 256, and hardly more than a sixteenth of
// SubscribeOptions.Bytes. The receiver owns the slice, too; do not use it after releasing
// the last of its messages. Where messages come in bursts it
// costs a fraction of what Chan costs a message, and nothing is allocated for
// those that are released. For messages that come one by one, or through an
// operator such as compression, a slice is allocated for each batch.
func (c *Conn) Batches(ctx context.Context, opts *SubscribeOptions) *Subscription[[]Message] {
	return batchesOf(ctx, c, opts)
}

func batchesOf(ctx context.Context, h host, opts *SubscribeOptions) *Subscription[[]Message] {
	s, err := newSubscription[[]Message](h, opts, defaultBatches)
	return s.open(ctx, newBatches(s, batchMax), err)
}

// A batch is messages that are given together, and the slice with them.
type batch struct {
	have []Message
	size int             // bytes in have
	home *bufpool.Buffer // whose have is, if it is a buffer's
}

// A batches is the lane of a subscription to batches. It gathers messages until
// there are many, or no more at hand. Where they were given to it with the buffer
// that they lie in, the slice that they are gathered in is the buffer's, too.
type batches struct {
	chanLane[[]Message]
	most  int // messages in a batch
	bytes int // the most in a batch that waits for more

	batch
	guess int // how many messages the last batch had
}

func newBatches(s *Subscription[[]Message], most int) *batches {
	l := &batches{chanLane: chanLane[[]Message]{s: s, gauge: gauge{limit: int64(s.opts.Bytes)}}, most: most}
	l.bytes = s.opts.Bytes / batchPart
	return l
}

func (l *batches) give(g giver, messages []Message) (given int, err error) {
	if l.s.over() {
		return 0, errLeft
	}
	for given < len(messages) {
		given += l.gather(g, messages[given:])
		if !l.full() {
			continue
		}
		if err := l.flush(g); err != nil {
			return given, err
		}
	}
	return given, nil
}

// gathers returns the most bytes in a batch that is made elsewhere, and 0 where
// batches have to be smaller than usual.
func (l *batches) gathers() (bytes int) {
	switch {
	case l.most < batchMax:
		return 0
	case l.bytes <= 0:
		return math.MaxInt
	}
	return l.bytes
}

// giveBatch gives what was gathered, and makes the next batch of one that came whole.
func (l *batches) giveBatch(g giver, b batch) (given int, err error) {
	if l.s.over() {
		return 0, errLeft
	}
	if err := l.flush(g); err != nil {
		return 0, err
	}
	if l.batch = b; l.full() {
		err = l.flush(g)
	}
	return len(b.have), err
}

// full reports that the batch does not wait for more.
func (l *batches) full() bool {
	return len(l.have) >= l.most || l.size >= l.bytes && l.bytes > 0
}

// gather takes as many messages as there is room for in the batch.
func (l *batches) gather(g giver, messages []Message) (count int) {
	l.settle(g, messages)
	n := len(l.have)
	count = min(len(messages), l.most-n)
	if l.home != nil {
		count = run(messages[:count], l.home)
	}
	l.have = slices.Grow(l.have, count)[:n+count]
	l.arena.own(l.have[n:], messages[:count])
	l.size += bytesOf(messages[:count])
	return count
}

// bytesOf returns how many bytes messages have.
func bytesOf(messages []Message) (size int) {
	for i := range messages {
		size += len(messages[i].Data)
	}
	return size
}

// run returns how many messages lie in the buffer before the first that does not.
func run(messages []Message, in *bufpool.Buffer) int {
	for i := range messages {
		if messages[i].own != in {
			return i
		}
	}
	return len(messages)
}

// settle sees that there is a batch which the next messages may go into: in a
// buffer's slice there are none but those that lie in it. Only the reader's
// buffer holds so many that it is worth a slice.
func (l *batches) settle(g giver, next []Message) {
	own := next[0].own
	if own != g.shared() {
		own = nil
	}
	if l.have != nil {
		if l.home != nil && own != l.home {
			l.have, l.home = slices.Clone(l.have), nil
		}
		return
	}
	if l.home = own; own != nil {
		l.have = besideOf(own).batch(l.room(next))
	}
	if l.have == nil {
		l.have, l.home = make([]Message, 0, min(max(l.guess, 2*len(next)), l.most)), nil
	}
}

// room returns for how many messages a batch takes a part of its buffer's slices: one
// that is about to be small leaves more of them to others.
func (l *batches) room(next []Message) int {
	if small := l.most / 4; max(l.guess, len(next)) <= small {
		return small
	}
	return l.most
}

func (l *batches) rest(g giver) error {
	l.arena.rest()
	return l.flush(g)
}

// flush gives what was gathered. After an error it is still there.
func (l *batches) flush(g giver) (err error) {
	if len(l.have) == 0 {
		return nil
	}
	switch l.offer() {
	case waits:
		err = l.wait(g, l.have, l.size)
	case slow:
		err = ErrSlow
	case left:
		err = errLeft
	}
	switch err {
	case nil:
		l.guess = len(l.have)
	case errOver: // CloseNow
		g.lose(l.have)
	default:
		return err
	}
	l.batch = batch{}
	return nil
}

// offer puts the batch into the queue, if it fits.
func (l *batches) offer() verdict {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	v := l.admit(l.size)
	switch v {
	case fits:
		s.skips.mark(&l.have[0], len(s.ch))
		v = l.push(l.have, l.size)
	case dropped:
		s.drop(l.have)
	}
	return v
}

func (l *batches) close() []Message {
	l.arena.rest()
	gathered := l.have
	l.batch = batch{}
	return gathered
}
