package stream

// A relayLane is the way of a source's messages into a Relay.
type relayLane struct {
	f    *feed
	gone chan struct{} // closed when the lane has left
}

func (l *relayLane) give(g giver, messages []Message) (given int, err error) {
	for given < len(messages) {
		n := 0
		switch err := l.turn(g, func() { n = l.pass(messages[given:]) }); err {
		case nil:
			given += n
		case errOver: // CloseNow
			g.lose(messages[given:])
			return len(messages), nil
		default:
			return given, err
		}
	}
	return given, nil
}

// turn waits for the turn and calls f under it. The error is errOver after CloseNow,
// errLeft if the lane has left or there is nobody to take messages.
func (l *relayLane) turn(g giver, f func()) error {
	r := l.f.r
	if err := r.lock(g, l.gone); err != nil {
		return err
	}
	if !l.during(f) {
		l.renew()
		return errLeft
	}
	return nil
}

// during calls f under the turn and lets that go, also where a function of the program
// ends the goroutine. It reports false if the lane has left or there is nobody to take
// messages.
func (l *relayLane) during(f func()) bool {
	r := l.f.r
	defer r.unlock()
	if closed(l.gone) || len(r.audience.lanes) == 0 {
		return false
	}
	f()
	return true
}

// pass hands over the first of the messages, under the turn, and returns how many.
func (l *relayLane) pass(messages []Message) (n int) {
	n = len(messages)
	if l.f.r.several.Load() {
		n = min(n, turnMost)
	}
	if admitted := l.f.admit(messages[:n]); len(admitted) > 0 {
		l.f.r.present(admitted)
	}
	return n
}

// gathers returns how many bytes a batch for the Relay's taker may have, 0 if that
// takes none.
func (l *relayLane) gathers() (bytes int) { return int(l.f.r.batches.Load()) }

// giveBatch hands over a batch that was made elsewhere.
func (l *relayLane) giveBatch(g giver, b batch) (given int, err error) {
	given = len(b.have)
	switch err := l.turn(g, func() { l.passBatch(b) }); err {
	case nil:
	case errOver: // CloseNow
		g.lose(b.have)
	default:
		return 0, err
	}
	return given, nil
}

// passBatch hands a batch over, under the turn.
func (l *relayLane) passBatch(b batch) {
	n := len(b.have)
	if b.have = l.f.admit(b.have); len(b.have) < n {
		b.size = bytesOf(b.have)
	}
	if len(b.have) > 0 {
		l.f.r.presentBatch(b)
	}
}

// renew has the lane leave, and another one come if there is somebody who takes.
func (l *relayLane) renew() {
	r := l.f.r
	r.wiring.Lock()
	if l.f.lane == l {
		l.f.detach()
	}
	r.wiring.Unlock()
	r.arrange(l.f)
}

// All that a turn was given for is handed on when it ends.
func (l *relayLane) rest(giver) error { return nil }
func (l *relayLane) close() []Message { return nil }
func (l *relayLane) owes() bool       { return false }
func (l *relayLane) blocks() bool     { return l.f.r.blocks.Load() }
func (l *relayLane) end(err error)    { l.f.finish(err) }
