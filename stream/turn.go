package stream

import (
	"slices"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// turnMost is the most messages that are given at a time where several sources are
// joined, unless they come in batches.
const turnMost = 64

// lock waits for the turn to give messages on behalf of g, while the Relay and g are
// not paused, and behind what was kept. Givers get it in the order in which they came.
// A giver that is paused holds up nobody else, but what it has begun to give it gives.
// Where there is no lane the Relay's pause is not waited for. The error is errOver once
// g's quit is closed, errLeft once left is.
func (r *Relay) lock(g giver, left <-chan struct{}) error {
	for {
		if err := unpaused(g); err != nil {
			return err
		}
		if err := r.await(g.quit(), left); err != nil {
			return err
		}
		for !r.settle() {
			if g.halted() {
				break
			}
			r.from = g
			if a := &r.audience; len(a.lanes) == 0 || !a.g.halted() {
				return nil
			}
			if err := r.audience.g.attend(); err == errOver {
				r.unlock()
				return err
			}
		}
		r.unlock()
	}
}

// unpaused waits while a giver is paused. The error is errOver or errLeft, as lock's.
func unpaused(g giver) error {
	if !g.halted() {
		return nil
	}
	err := g.attend()
	if err != nil && err != errOver {
		return errLeft
	}
	return err
}

// await is lock, with the lanes as they happen to be.
func (r *Relay) await(quit, left <-chan struct{}) error {
	if r.turn.tryLock() {
		return nil
	}
	r.waiting.Add(1)
	defer r.waiting.Add(-1)
	r.stopSession()
	select {
	case r.turn.locking() <- struct{}{}:
		return nil
	case <-quit:
		return errOver
	case <-left:
		return errLeft
	}
}

// unlock lets the turn go, once the lanes are up to date.
func (r *Relay) unlock() {
	for r.release(nil) && r.due.Load() && r.turn.tryLock() {
	}
}

// release is unlock for one who may not wait to have the lanes brought up to date
// once more. It calls before, if that is not nil, when all else is done under the
// turn, and returns false if that went to somebody who gives what was kept.
func (r *Relay) release(before func()) bool {
	pump := r.settle()
	var ended []lane
	idle := false
	if !pump {
		ended, idle = r.conclude()
	}
	if before != nil {
		before()
	}
	if pump {
		go r.pump() // ends when what was kept is given; it has the turn
		return false
	}
	r.turn.unlock()
	for _, l := range ended {
		l.end(r.outcome())
	}
	if idle {
		r.arrange()
		r.tell()
	}
	return true
}

// tend brings the lanes up to date, or has it done by whoever has the turn.
func (r *Relay) tend() {
	r.due.Store(true)
	if r.turn.tryLock() {
		r.unlock()
		return
	}
	r.stopSession()
}

// settle brings the lanes up to date, under the turn. It reports that there are some
// and that what was kept is theirs.
func (r *Relay) settle() (pump bool) {
	a := &r.audience
	r.from = bystander{}
	r.due.Store(false)
	if a.settle(); r.live && len(a.lanes) == 0 {
		r.source.dropAll()
	}
	blocks, bytes := a.prefers()
	r.blocks.Store(blocks)
	r.batches.Store(int64(bytes))
	if !r.source.keeps() {
		r.hoard = 0
		return false
	}
	return len(a.lanes) > 0
}

// conclude finds out, under the turn, whether the last lane has left, and ends the
// stream when that is due: it returns the lanes that are to be told.
func (r *Relay) conclude() (ended []lane, idle bool) {
	s := &r.source
	for {
		switch s.stands() {
		case unsettled:
			r.audience.settle()
			continue
		case alone:
			idle = true
		}
		any, _ := s.taken()
		if !r.ended() || r.paused.Load() != 0 || s.keeps() || s.over && !any || r.joins() {
			return nil, idle
		}
		s.over = true
		for {
			if lanes, ok := s.end(); ok {
				r.audience.dismiss()
				return lanes, idle || len(lanes) > 0
			}
			r.audience.settle()
		}
	}
}

// pump gives what was kept to the lanes. It has the turn, and lets it go.
func (r *Relay) pump() {
	defer r.unlock()
	s := &r.source
	for r.settle() {
		g := (*relaying)(r)
		if g.halted() {
			g.attend()
			continue
		}
		n := 1
		for n < min(len(s.kept), turnMost) && s.kept[n].runs(&s.kept[0]) {
			n++
		}
		messages := slices.Clone(s.kept[:n])
		if s.kept = s.kept[n:]; len(s.kept) == 0 {
			s.kept = nil
		}
		for i := range messages {
			messages[i].tag = messages[i].tag.bare()
		}
		r.present(messages)
	}
}

// present gives messages of one origin, or a Notice, to all lanes, under the turn.
func (r *Relay) present(messages []Message) {
	a := &r.audience
	switch {
	case messages[0].own == nil:
		a.give(messages)
	case a.crowded():
		a.giveOwned(slices.Clone(messages))
	default:
		a.give(messages)
	}
	a.rest()
	a.settle()
}

// presentBatch is present for a batch of messages that the lane is to own.
func (r *Relay) presentBatch(b batch) {
	a := &r.audience
	if a.crowded() {
		a.giveOwned(slices.Clone(b.have))
	} else {
		a.giveBatch(b)
	}
	a.rest()
	a.settle()
}

// A bystander is a giver that never waits for anything but the subscribers.
type bystander struct{}

func (bystander) halted() bool            { return false }
func (bystander) attend() error           { return nil }
func (bystander) quit() <-chan struct{}   { return nil }
func (bystander) lose(messages []Message) { release(messages) }
func (bystander) stalled()                {}
func (bystander) shared() *bufpool.Buffer { return nil }
func (bystander) crowded() bool           { return false }
