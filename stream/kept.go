package stream

import (
	"context"
	"slices"
)

// What was taken off the wire, or put into a Relay, and given to nobody is kept for
// whoever takes messages next. It comes before what is read.

// drop gives the memory of what was kept back.
func (s *source) drop() {
	release(s.kept)
	s.kept = nil
}

// dropAll is drop, also for one who does not take while a lane gives back after the
// end.
func (s *source) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

// keepFirst keeps messages in front of what was kept before: those that are owned,
// and then some of those at hand, which are copied if they are lent.
func (s *source) keepFirst(atHand []Message, owned ...[]Message) {
	kept := slices.Concat(owned...) // a batch's slice may be its messages' memory
	kept = appendOwned(kept, atHand)
	if len(kept) > 0 {
		s.kept = append(kept, s.kept...)
	}
}

// keeps reports that something is kept, also for one who does not take while a lane
// gives back after the end.
func (s *source) keeps() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept) > 0
}

// keepLast keeps messages at hand behind what was kept before.
func (s *source) keepLast(atHand []Message) { s.kept = appendOwned(s.kept, atHand) }

// appendOwned appends messages, and copies of those that are lent.
func appendOwned(kept, messages []Message) []Message {
	for _, m := range messages {
		if m.own == nil {
			m = m.Clone()
		}
		kept = append(kept, m)
	}
	return kept
}

// nextKept returns the next of the messages that were kept, which the caller owns,
// or one without a type if there is none. It waits while the connection is
// paused, and returns errOver where neither comes and nothing more is read.
func (c *Conn) nextKept(ctx context.Context) (Message, error) {
	s := &c.source
	if len(s.kept) == 0 {
		if s.over {
			return Message{}, errOver
		}
		return Message{}, nil
	}
	if c.r.attention.Load() != 0 {
		if err := c.r.attend(ctx); err != nil {
			return Message{}, err
		}
	}
	m := s.kept[0]
	if s.kept = s.kept[1:]; len(s.kept) == 0 {
		s.kept = nil
	}
	return m, nil
}

// eachKept yields the messages that were kept, as a loop over All does.
func (c *Conn) eachKept(ctx context.Context, yield func(Message, error) bool) (more bool, err error) {
	for {
		m, err := c.nextKept(ctx)
		if err != nil || m.Type == 0 {
			return err == nil, err
		}
		lent := m
		lent.own, lent.tag = nil, c.r.tag
		more := yield(lent, nil)
		m.Release()
		if !more {
			return false, nil
		}
	}
}
