package fanin

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Member is a source that was added to a [Group]. All methods may be called from
// many goroutines, also after it has ended.
type Member struct {
	group *Group
	name  string
	src   stream.Source
	leave func() // guarded by group.joining

	// Written by whoever hands on the member's messages, one at a time.
	received, duplicates, gaps, epoch atomic.Uint64
	open                              atomic.Bool
	final                             atomic.Pointer[stream.Gap] // nil if something came behind it
}

// Name returns the name that the member was added under.
func (m *Member) Name() string { return m.name }

// Result holds how the source ends: its own terminal event, and not the group's. In
// the group's streams a Notice with Final tells of it.
func (m *Member) Result() *result.Promise { return m.src.Result() }

// Remove takes the member out of the group. Messages that the group has taken from it
// are still given to the group's takers; those that come later wait for the source's
// next taker. A member that was removed says nothing about how the group ends.
func (m *Member) Remove() {
	g := m.group
	g.joining.Lock()
	leave := m.leave
	g.joining.Unlock()
	leave()
	g.strike(m, nil)
	g.finish()
}

// Stats count the messages and Notices of a member that the group has taken so
// far.
type Stats struct {
	Received   uint64 // data messages, with those that Options.Distinct dropped
	Duplicates uint64 // how many of them Options.Distinct dropped
	Gaps       uint64 // connections that were lost, but for the last one of all
	Epoch      uint64 // of the last connection, from 1; 0 before the first
	Open       bool   // that connection has not ended
}

// Stats returns what the member has brought so far.
func (m *Member) Stats() Stats {
	return Stats{
		Received: m.received.Load(), Duplicates: m.duplicates.Load(),
		Gaps: m.gaps.Load(), Epoch: m.epoch.Load(), Open: m.open.Load(),
	}
}

// taken counts messages that come next, all of one connection.
func (m *Member) taken(o *stream.Origin, n int) {
	m.received.Add(uint64(n))
	if o.Epoch != m.epoch.Load() || !m.open.Load() { // of a first connection, and of others in a group, nothing else tells
		m.epoch.Store(o.Epoch)
		m.open.Store(true)
		m.final.Store(nil)
	}
}

// first reports whether a lent message is the first with its key.
func (m *Member) first(msg stream.Message) bool {
	if m.group.distinct.duplicate(msg) {
		m.duplicates.Add(1)
		return false
	}
	return true
}

// notice takes in what a source that is made of others tells of its connections.
func (m *Member) notice(msg stream.Message) {
	g := msg.Gap()
	if g.To > 0 {
		m.epoch.Store(g.To)
	} else if !g.Final {
		m.gaps.Add(1)
	}
	m.open.Store(g.To > 0)
	if m.final.Store(nil); g.Final {
		m.final.Store(g)
	}
}

// ended is called when the source has ended and its messages were handed on. A source
// that has not told of that itself is told of: a group tells of its members, and may
// end in another way than the last of them.
func (m *Member) ended(st result.Status) {
	m.open.Store(false)
	if g := m.final.Load(); g == nil || g.Status.Err == nil != (st.Err == nil) {
		epoch := m.epoch.Load()
		m.group.feeder.Notify(context.Background(), &stream.Origin{Name: m.name, Epoch: epoch},
			&stream.Gap{From: epoch, Status: st, Lost: time.Now(), Final: true})
	}
	m.group.strike(m, &st)
	m.group.finish()
}
