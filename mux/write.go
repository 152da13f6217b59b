package mux

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/stream"
)

// A session is one connection of the link: what the server was told on it is
// forgotten with it.
type session interface {
	Send(ctx context.Context, m stream.Message) error
	Done() <-chan struct{}
}

// A lasting link has one connection after another. Ready waits for the one that
// is open, and fails after the last.
type lasting interface {
	Ready(ctx context.Context) (*stream.Conn, error)
}

// write tells the server which topics are desired, on a goroutine of its own.
func (m *Mux[K]) write() {
	l, ok := m.link.(lasting)
	if !ok {
		m.serve(m.link)
		return
	}
	for {
		conn, err := l.Ready(m.ctx)
		if err != nil {
			return
		}
		m.serve(conn)
	}
}

// serve keeps the server told until the session ends.
func (m *Mux[K]) serve(s session) {
	m.adopt(s)
	for !m.over(s) {
		next := m.settle(s)
		var due <-chan time.Time
		if !next.IsZero() {
			due = time.After(time.Until(next))
		}
		select {
		case <-m.changed:
		case <-due:
		case <-s.Done():
		}
	}
}

// adopt begins a session, on which the server knows of no topic.
func (m *Mux[K]) adopt(s session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.session == nil {
		close(m.opened)
	}
	m.session = s
	m.desired.reset()
}

// settle sends the difference until there is none. Next is when a topic that lingers is
// to be unsubscribed from, zero if none does.
func (m *Mux[K]) settle(s session) (next time.Time) {
	for {
		differs, next := m.differs()
		if !differs {
			return next
		}
		p := &passage[K]{m: m, s: s}
		p.err = p.wait() // what is desired may change meanwhile
		subscribe, unsubscribe := m.difference()
		p.send(unsubscribe, m.o.Unsubscribe, func() bool { return true })
		if p.refused() && len(unsubscribe) > 0 {
			m.log.Error("topics could not be unsubscribed from", zap.Int("topics", len(unsubscribe)), zap.Error(p.err))
		}
		p.send(subscribe, m.o.Subscribe, func() bool { return m.knows(subscribe) })
		if p.refused() {
			for _, key := range subscribe {
				m.Fail(key, p.err)
			}
		}
	}
}

// over reports that the session, or the mux, has ended.
func (m *Mux[K]) over(s session) bool {
	select {
	case <-s.Done():
		return true
	default:
		return m.ctx.Err() != nil
	}
}

func (m *Mux[K]) differs() (yes bool, next time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.desired.differs(time.Now())
}

func (m *Mux[K]) difference() (subscribe, unsubscribe []K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.desired.difference(time.Now())
}

// knows reports that the server is to know of one of these topics at least: the others
// have failed since their difference was taken.
func (m *Mux[K]) knows(topics []K) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(topics, m.desired.knows)
}

// A passage is one difference on its way to the server.
type passage[K comparable] struct {
	m      *Mux[K]
	s      session
	passes bool  // the next message need not wait
	err    error // why nothing more is sent
}

// wait waits until the next message may pass.
func (p *passage[K]) wait() error {
	if p.passes || p.m.o.Limiter == nil {
		return nil
	}
	p.passes = true
	return p.m.o.Limiter.Wait(p.m.ctx)
}

// refused reports that something could not be sent although the session goes on.
func (p *passage[K]) refused() bool {
	return p.err != nil && !errors.Is(p.err, net.ErrClosed) && !p.m.over(p.s)
}

// send sends what some topics are spelled as, for as long as that is due.
func (p *passage[K]) send(topics []K, spell func([]K) []stream.Message, due func() bool) {
	if len(topics) == 0 || spell == nil {
		return
	}
	for _, msg := range spell(topics) {
		if p.err == nil {
			p.err = p.wait()
		}
		if p.err != nil || !due() {
			return
		}
		p.err = p.s.Send(p.m.ctx, msg)
		p.passes = false
	}
}
