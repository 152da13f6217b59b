package mux

import (
	"errors"
	"maps"
	"slices"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// run does what a goroutine of the mux is for. If a function of the program panics in
// it, or ends the goroutine, the mux ends with that.
func (m *Mux[K]) run(do func()) {
	check.Run("a function in mux.Options", m.log, func(err error) {
		m.end(result.Status{Code: result.StatusAbnormalClosure, Err: err})
	}, do)
}

// read hands on the link's messages, on a goroutine of its own.
func (m *Mux[K]) read() {
	err := m.each()
	for errors.As(err, new(*stream.LostError)) {
		m.log.Warn("messages are lost that came before a mux began", zap.Error(err))
		err = m.each()
	}
	st, over := m.link.Result().Status()
	if !over {
		st.Code = result.StatusAbnormalClosure
	}
	st.Err = err
	m.end(st)
}

// each hands on messages until there are no more. It returns the error of the
// link's end, nil after a success.
func (m *Mux[K]) each() error {
	for msg, err := range m.link.All(m.ctx) {
		if err != nil {
			return err
		}
		m.route(msg)
	}
	return nil
}

// route hands on a lent message.
func (m *Mux[K]) route(msg stream.Message) {
	if msg.Type == stream.Notice {
		m.spread(msg)
		return
	}
	key, ok := m.o.Topic(msg)
	switch {
	case !ok && m.unmatched.taken.Load():
		m.unmatched.put(msg)
	case !ok:
		m.warned.Do(func() {
			m.log.Warn("a message is for no topic, and nobody takes Unmatched", zap.Int("bytes", len(msg.Data)))
		})
	case m.calls.answer(key, msg):
	default:
		if t := m.to(key); t != nil {
			t.put(msg)
		}
	}
}

// spread hands on a Notice to all who take anything.
func (m *Mux[K]) spread(notice stream.Message) {
	m.calls.lose(lost(notice.Gap().Status))
	for _, t := range m.all() {
		t.put(notice)
	}
	if m.unmatched.taken.Load() {
		m.unmatched.put(notice)
	}
}

// to returns the topic with this key, nil if it has no takers.
func (m *Mux[K]) to(key K) *topic[K] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken[key]
}

// all returns the topics that have takers.
func (m *Mux[K]) all() []*topic[K] {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.taken))
}
