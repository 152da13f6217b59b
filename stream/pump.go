package stream

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/result"
)

// A subscriber is one of those who share the messages. The pump calls it, from
// one goroutine.
type subscriber interface {
	// give hands over messages, lent ones or such as the subscriber owns, and
	// returns how many were taken: all of them, or fewer and an error to leave.
	give(messages []Message) (taken int, err error)
	// rest is called when no more messages are at hand for now.
	rest() error
	// end says that no more messages come; err is nil after a success.
	end(err error)
	// blocks reports that give may wait.
	blocks() bool
}

// A pump takes the messages of a connection and hands each to all subscribers.
// It starts with the first one and runs until the stream ends. While all have
// left it waits for the next one, until the connection closes.
type pump struct {
	mu      sync.Mutex
	subs    atomic.Pointer[[]subscriber] // those that never wait first
	joined  chan struct{}                // closed and renewed when one joins
	started bool
	over    bool  // the stream has ended
	err     error // and this is how
	done    chan struct{}

	listeners listeners
}

// join adds a subscriber. After the end of the stream it gets that alone.
func (p *pump) join(c *Conn, s subscriber) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.started {
		if err := c.source.claim(modeShared); err == errOver {
			go func() { s.end(c.outcome(context.Background())) }()
			return nil
		} else if err != nil {
			return err
		}
		p.started = true
		p.joined, p.done = make(chan struct{}), make(chan struct{})
		p.set([]subscriber{s})
		go p.run(c) // ends with the connection
		return nil
	}
	if p.over {
		s.end(p.err)
		return nil
	}
	subs := slices.Clone(*p.subs.Load())
	if s.blocks() {
		subs = append(subs, s)
	} else {
		subs = slices.Insert(subs, 0, s)
	}
	p.set(subs)
	close(p.joined)
	p.joined = make(chan struct{})
	return nil
}

// use says that there are callbacks.
func (p *pump) use(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners.c = c
}

func (p *pump) set(subs []subscriber) { p.subs.Store(&subs) }

// leave takes a subscriber out and ends it.
func (p *pump) leave(s subscriber, err error) {
	p.mu.Lock()
	subs := slices.Clone(*p.subs.Load())
	p.set(slices.DeleteFunc(subs, func(o subscriber) bool { return o == s }))
	p.mu.Unlock()
	s.rest()
	s.end(err)
}

// run is the pump's goroutine.
func (p *pump) run(c *Conn) {
	err := error(&result.General{Err: errGoexit})
	whole := false
	defer func() {
		if !whole { // a callback ended the goroutine
			c.abort(result.StatusInternalError, "", with(err))
		}
		p.finish(err)
	}()
	c.r.idle, c.r.current = p.rest, nil
	err = p.take(c)
	whole = true
}

// handMax is the most messages that are handed on at a time.
const handMax = 128

// take takes messages until there are no more, as many at a time as are at
// hand, and returns the error to report, nil after a success.
func (p *pump) take(c *Conn) error {
	r := &c.r
	r.assemble = true
	hand := new([handMax]Message)
	n, most, give := 0, 0, false
	add := func(m Message, _ error) bool {
		hand[n].Data, hand[n].Type = m.Data, m.Type
		hand[n].own = nil
		if give {
			hand[n].own, hand[n].ticket = r.slab.Buffer(), r.slab.Ticket()
		}
		n++
		return n < most
	}
	for {
		subs := *p.subs.Load()
		n, most, give = 0, handMax, len(subs) == 1 && r.share()
		if give {
			most = min(most, r.slab.Left())
		}
		if r.burst(add); n == 0 {
			clear(hand[:]) // what it held may be garbage, while this waits
			if r.attention.Load() != 0 {
				p.rest()
			}
			m, err := r.message(context.Background())
			if err != nil {
				p.rest()
				return r.ended(context.Background(), err)
			}
			subs = *p.subs.Load()
			give = len(subs) == 1 && r.holds() && r.share()
			add(m, nil)
		} else {
			r.many = r.many || !give
			if subs = *p.subs.Load(); len(subs) > 1 {
				lend(hand[:n])
			}
		}
		p.give(c, subs, hand[:n])
		r.spoil(hand[:n]...)
	}
}

// give hands messages to all. While nobody is there to take them, it waits.
func (p *pump) give(c *Conn, subs []subscriber, messages []Message) {
	for {
		most := 0
		for _, s := range subs {
			taken, err := s.give(messages)
			most = max(most, taken)
			if err != nil {
				p.leave(s, err)
			}
		}
		if messages = messages[most:]; len(messages) == 0 {
			return
		}
		lend(messages) // whoever comes next may not come alone
		if !p.waitJoin(c) {
			return
		}
		subs = *p.subs.Load()
	}
}

// lend takes back that messages were given away.
func lend(messages []Message) {
	for i := range messages {
		messages[i].Release()
		messages[i].own = nil
	}
}

// waitJoin waits for a subscriber while there is none. It returns false when
// the connection closes first: what nobody took is lost then.
func (p *pump) waitJoin(c *Conn) bool {
	p.mu.Lock()
	joined := p.joined
	empty := len(*p.subs.Load()) == 0
	p.mu.Unlock()
	if !empty {
		return true
	}
	select {
	case <-joined:
		return true
	case <-c.close.begun.done():
		return false
	}
}

// rest tells all that no more messages are at hand for now.
func (p *pump) rest() {
	for _, s := range *p.subs.Load() {
		if err := s.rest(); err != nil {
			p.leave(s, err)
		}
	}
}

// restFree is rest for those that never wait, while another one is waited for.
func (p *pump) restFree() {
	for _, s := range *p.subs.Load() {
		if s.blocks() {
			continue
		}
		if err := s.rest(); err != nil {
			p.leave(s, err)
		}
	}
}

// finish ends all subscribers, and those that join later.
func (p *pump) finish(err error) {
	p.mu.Lock()
	p.over, p.err = true, err
	subs := *p.subs.Load()
	p.set(nil)
	p.mu.Unlock()
	for _, s := range subs {
		s.end(err)
	}
	close(p.done)
}

// single gives messages one by one.
type single struct{ *Subscription[Message] }

func (s single) blocks() bool { return s.q.Policy == Block }

func (s single) rest() error {
	s.arena.rest()
	return nil
}

func (s single) give(messages []Message) (int, error) {
	s.mu.Lock()
	var own [1]Message
	for i := range messages {
		if s.pass(messages[i]) {
			continue
		}
		s.arena.own(own[:], messages[i:i+1])
		if err := s.hand(own[0]); err != nil {
			s.mu.Unlock()
			own[0].Release()
			return i, err
		}
	}
	s.mu.Unlock()
	return len(messages), nil
}

// pass gives a message that needs neither a copy nor a wait, under the lock.
func (s single) pass(m Message) bool {
	if m.own == nil || s.ended.Load() || s.c.r.attention.Load() != 0 {
		return false
	}
	select {
	case s.ch <- m:
		return true
	default:
		return false
	}
}

// hand gives one message, under the lock, which it opens where it waits: for
// the end of a pause, or for room. After CloseNow it drops the message.
func (s single) hand(own Message) error {
	for s.c.r.attention.Load() != 0 {
		s.mu.Unlock()
		err := s.c.r.attend(context.Background())
		s.mu.Lock()
		if err != nil {
			own.Release()
			return nil
		}
	}
	taken, err := s.put(own)
	if !taken {
		s.mu.Unlock()
		err = s.wait(own)
		s.mu.Lock()
	}
	return err
}

const (
	batchMax  = 256 // the most messages in a batch
	bundleMax = 64  // the most that go to an Observable's producer at a time
)

// A batcher gathers messages and gives them in slices. Where the messages were
// given to it, the slice is their buffer's, too.
type batcher struct {
	s    *Subscription[[]Message]
	max  int // messages in a batch
	have []Message
	home *bufpool.Buffer // whose have is, if it is a buffer's
	size int             // of the last batch, as a guess at the next
}

func (b *batcher) blocks() bool { return b.s.q.Policy == Block }

func (b *batcher) give(messages []Message) (int, error) {
	if b.s.ended.Load() {
		release(b.have)
		b.have = nil
		return 0, errLeft
	}
	for taken := 0; taken < len(messages); {
		left := messages[taken:]
		b.settle(left)
		n := len(b.have)
		count := min(len(left), b.max-n)
		b.have = slices.Grow(b.have, count)[:n+count]
		b.s.arena.own(b.have[n:], left[:count])
		taken += count
		if n+count < b.max {
			continue
		}
		if err := b.flush(); err != nil {
			return taken, err
		}
	}
	return len(messages), nil
}

// settle sees that there is a batch which the next messages may go into: in a
// buffer's slice there are none but its own.
func (b *batcher) settle(next []Message) {
	own := next[0].own
	if b.have != nil {
		if b.home != nil && own != b.home {
			b.have, b.home = slices.Clone(b.have), nil
		}
		return
	}
	if b.home = own; own != nil {
		b.have = besideOf(own).batch(b.max)
	}
	if b.have == nil {
		b.have, b.home = make([]Message, 0, min(max(b.size, 2*len(next)), b.max)), nil
	}
}

func (b *batcher) rest() error {
	b.s.arena.rest()
	return b.flush()
}

func (b *batcher) flush() error {
	batch := b.have
	if len(batch) == 0 {
		return nil
	}
	b.have, b.home, b.size = nil, nil, len(batch)
	taken, err := b.s.offer(batch)
	if !taken {
		err = b.s.wait(batch)
	}
	if err != nil {
		release(batch)
	}
	return err
}

func (b *batcher) end(err error) { b.s.end(err) }

// shared returns the connection's pump.
func (s *source) shared() *pump {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pump == nil {
		s.pump = new(pump)
	}
	return s.pump
}

// drained waits, where callbacks are used, until the last one was called.
func (s *source) drained() {
	s.mu.Lock()
	p := s.pump
	s.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	wait := p.started && p.listeners.c != nil
	p.mu.Unlock()
	if wait {
		<-p.done
	}
}
