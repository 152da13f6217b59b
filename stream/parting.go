package stream

import "slices"

// A feed that is taken out of a Relay, while that takes from the feed's source alone, is
// parting: the taker was told to leave, and still has messages at hand. Whoever comes
// meanwhile has to wait for what it gives back, as that comes first.

// parting reports, under the lock, that the exclusive taker is a feed that was told
// to leave.
func (s *source) parting() bool {
	return s.mode == modeExclusive && s.by != nil && s.by != s.owner
}

// A following is lanes that wait until the exclusive taker has left; nil if there are
// none, as there seldom are any.
type following struct{ lanes []lane }

func (f *following) with(l lane) *following {
	if f == nil {
		return &following{[]lane{l}}
	}
	return &following{insert(f.lanes, l)}
}

func (f *following) without(l lane) *following {
	if f == nil {
		return nil
	}
	f.lanes = slices.DeleteFunc(f.lanes, func(next lane) bool { return next == l })
	if len(f.lanes) == 0 {
		return nil
	}
	return f
}

// follow lets those lanes in, under the lock, that have waited until the exclusive
// taker had left. It reports whether there are any: somebody has to give to them.
func (s *source) follow() bool {
	if s.next == nil {
		return false
	}
	s.lanes, s.next = s.next.lanes, nil
	if s.mode != modeLeaving {
		s.mode = modeShared
	}
	s.version.Add(1)
	s.wake()
	return true
}

// leaveExclusive is take's end. It returns what follow does: the fan-out has to be
// started then.
func (s *source) leaveExclusive() (start bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free()
	return s.follow()
}

// withdraw is leave and giveBack in one step, for the lane of one who takes alone. It
// returns what follow does.
func (s *source) withdraw(l lane, left []Message) (followed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(l, true)
	s.restore(l, left)
	return s.follow()
}
