package mux

import (
	"context"
	"runtime"
	"sync"
	"time"
	"weak"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Link is what a Mux takes messages from and sends them to. It is the mux's
// alone: nobody else may take its messages.
//
// *stream.Conn is one, for as long as it lasts, and so is *redial.Source. A Link
// that has the method Ready of redial.Source, which waits for an open connection,
// is asked for one connection after another. Any other is taken for a single
// connection.
type Link interface {
	stream.Source
	Send(ctx context.Context, m stream.Message) error
}

// A Mux hands each message of a link to the topic that it is for, and keeps the
// server told which topics are desired. Make one with [New].
//
// It begins with the first taker of a topic or of Unmatched, or with the first Call,
// and ends with its link, which stays the caller's: close that to end both. If one of
// the functions in its Options panics, it ends with the panic's value, and leaves the
// link. All methods may be called from many goroutines.
type Mux[K comparable] struct {
	// Never changes.
	link      Link
	o         *Options[K]
	log       *zap.Logger
	unmatched *outlet
	ctx       context.Context // ends with the mux
	cancel    context.CancelFunc
	begin     func()        // starts it, once
	changed   chan struct{} // holds a value when the difference may have changed

	opened chan struct{} // closed when there is a session

	calls  calls[K]
	warned sync.Once // of messages that nobody takes

	// Guarded by mu, under which no relay is called.
	mu      sync.Mutex
	desired *reconciler[K]
	topics  map[K]weak.Pointer[topic[K]] // lives as long as somebody has its relay
	taken   map[K]*topic[K]              // those with takers
	session session                      // the last one; nil before the first
	status  *result.Status               // how it ended; nil before
}

// A topic is one that somebody has asked for.
type topic[K comparable] struct {
	*outlet
	m   *Mux[K]
	key K

	over bool // guarded by m.mu
}

// New returns a Mux that takes the messages of a link. The options are not modified.
// Where an argument cannot be used, it has ended already, with a *result.General around
// a *result.ArgumentError.
func New[K comparable](l Link, o *Options[K]) *Mux[K] {
	if o == nil {
		o = &Options[K]{} // which lack a Topic
	}
	m := &Mux[K]{
		link: l, o: o, log: o.Logger,
		changed: make(chan struct{}, 1),
		desired: newReconciler[K](o.Linger, o.Unsubscribe == nil),
		topics:  map[K]weak.Pointer[topic[K]]{},
		taken:   map[K]*topic[K]{},
		opened:  make(chan struct{}),
	}
	if m.log == nil {
		m.log = zap.NewNop()
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.begin = sync.OnceFunc(func() {
		go m.run(m.read)  // ends with the link, or with the mux
		go m.run(m.write) // the same
	})
	m.unmatched = newOutlet(o.Post, m.log, func(taken bool) {
		if taken {
			m.begin()
		}
	})
	if err := o.check(l); err != nil {
		m.begin = func() {}
		m.end(result.Status{Code: result.StatusAbnormalClosure, Err: &result.General{Err: err}})
	}
	return m
}

// Topic returns the messages of a topic. The server is told to send them when the
// relay has its first taker, and to stop after the last one has gone; what comes
// while there is none is dropped. The relay ends with the link, or with Fail.
//
// All topics come over one link: a Block subscriber that does not take its
// messages holds up the others.
//
// A key that does not equal itself, such as NaN, cannot be found again: its relay has
// ended, with a *result.General around a *result.ArgumentError.
func (m *Mux[K]) Topic(key K) *stream.Relay {
	t, st := m.topic(key)
	if st != nil {
		t.feeder.End(*st)
	}
	return t.relay
}

// topic returns the topic, with a status if it has to be ended.
func (m *Mux[K]) topic(key K) (*topic[K], *result.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.topics[key].Value(); t != nil {
		return t, nil
	}
	st := m.status
	if err := checkKey(key, key); err != nil && st == nil {
		st = &result.Status{Code: result.StatusAbnormalClosure, Err: &result.General{Err: err}}
	}
	t := &topic[K]{m: m, key: key, over: st != nil}
	t.outlet = newOutlet(m.o.Post, m.log, t.changed)
	if !t.over {
		m.topics[key] = weak.Make(t)
		runtime.AddCleanup(t.relay, m.forget, key)
	}
	return t, st
}

// checkKey refuses a key that does not equal itself.
func checkKey[K comparable](key, itself K) error {
	if key != itself {
		return &result.ArgumentError{Name: "key", Value: key, Allowed: "a key that equals itself"}
	}
	return nil
}

// forget drops a topic whose relay nobody has any more.
func (m *Mux[K]) forget(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.topics[key].Value() == nil { // and nobody has asked for it again
		delete(m.topics, key)
	}
}

// changed is called when the first taker has come, or the last one has gone.
func (t *topic[K]) changed(some bool) {
	if !t.desire(some) {
		return
	}
	t.m.begin()
	select {
	case t.m.changed <- struct{}{}:
	default: // the writer will see to this change, too
	}
}

// desire notes what has become of the takers. It returns false if the topic has
// ended.
func (t *topic[K]) desire(some bool) bool {
	m := t.m
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case t.over:
	case some:
		m.taken[t.key] = t
		m.desired.take(t.key)
	default:
		delete(m.taken, t.key)
		m.desired.release(t.key, time.Now())
	}
	return !t.over
}

// Unmatched returns the messages for which Options.Topic returned false, such as a
// server's answers to what it was sent. What comes while it has no taker is
// dropped.
func (m *Mux[K]) Unmatched() *stream.Relay { return m.unmatched.relay }

// Fail ends a topic, for example because the server refused it: its relay ends
// with err, or plainly where that is nil. The server counts as not knowing of it.
// Topic returns a new relay from then on, which may be tried again. What Subscribe
// made and has not been sent yet is not sent any more, once all topics that it was made
// for have failed.
func (m *Mux[K]) Fail(key K, err error) {
	t := m.expel(key)
	if t == nil {
		return
	}
	st := result.Status{Code: result.StatusNormalClosure, Err: err}
	if err != nil {
		st.Code = result.StatusAbnormalClosure
	}
	t.feeder.End(st)
}

// expel drops a topic and returns it, nil if there is none.
func (m *Mux[K]) expel(key K) *topic[K] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.desired.forget(key) // also a topic that lingers, and whose relay nobody has any more
	t := m.topics[key].Value()
	if t != nil {
		t.over = true
		delete(m.topics, key)
		delete(m.taken, key)
	}
	return t
}

// end ends all topics, and those that are asked for later. Only the first call does
// anything.
func (m *Mux[K]) end(st result.Status) {
	topics, first := m.retire(st)
	if !first {
		return
	}
	m.cancel()
	for _, t := range topics {
		t.feeder.End(st)
	}
	m.unmatched.feeder.End(st)
	m.calls.end(lost(st))
}

// retire notes how the mux ended, and returns its topics. It reports false if it has
// ended already.
func (m *Mux[K]) retire(st result.Status) (topics []*topic[K], first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.status != nil {
		return nil, false
	}
	for _, w := range m.topics {
		if t := w.Value(); t != nil {
			t.over = true
			topics = append(topics, t)
		}
	}
	m.status = &st
	clear(m.topics)
	clear(m.taken)
	return topics, true
}
