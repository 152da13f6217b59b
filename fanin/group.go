package fanin

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Options say how a Group joins its members. Nil, and the zero value, mean the
// defaults.
type Options struct {
	// Distinct makes the key of a message. Of all messages with one key only the first
	// is handed on, whichever member brings it; so of several feeds that carry the same
	// messages, only what all of them lack is missing. The order is that of arrival.
	// A message for which ok is false is handed on in any case.
	//
	// Distinct is called with each data message, which is lent to it, by one goroutine
	// at a time. It must not block, nor call the group. A panic ends the group. Nil
	// drops nothing.
	Distinct func(m stream.Message) (key uint64, ok bool)

	// Window is how many keys are remembered: the last ones. Zero is 65,536, which
	// take about 3 MB. It must not be negative; without Distinct it must be zero.
	Window int

	// Post runs callbacks and the promise's continuations, as stream.Options.Post does.
	// Nil means goroutines of the members.
	Post func(func())

	// Logger is told of callbacks that panic, and of what else a Conn would log.
	// Nil means no logging.
	Logger *zap.Logger
}

var errClosed = fmt.Errorf("wsflow: the group takes no more members: %w", net.ErrClosed)

// A Group is a source made of many: members come and go while it runs. It has the
// faces of a connection; [stream.Message.Origin] tells which member brought a
// message. Make one with [New]. All methods may be called from many goroutines.
//
// A group ends when it was closed and its last member has ended or was removed: with
// 1000 if no member failed, and otherwise with a *result.General whose error joins the
// last eight failures.
type Group struct {
	*stream.Relay

	// Never changes.
	feeder   *stream.Feeder
	distinct *distinct // nil without Options.Distinct

	joining sync.Mutex // held while a source is joined; nobody closes the group then

	// Guarded by mu, under which nothing else is called.
	mu      sync.Mutex
	members map[string]*Member
	closed  bool
	outcome outcome
}

// New returns a Group without members. Where an option cannot be used, it has ended
// already, with a *result.General around a *result.ArgumentError.
func New(o *Options) *Group {
	if o == nil {
		o = &Options{}
	}
	g := &Group{members: map[string]*Member{}}
	g.Relay, g.feeder = stream.NewRelay(&stream.RelayOptions{Logger: o.Logger, Post: o.Post})
	if o.Window < 0 || o.Window > 0 && o.Distinct == nil {
		g.closed = true
		g.feeder.End(result.Status{
			Code: result.StatusAbnormalClosure,
			Err:  &result.General{Err: &result.ArgumentError{Name: "fanin.Options.Window", Value: o.Window, Allowed: "0, or more with Distinct"}},
		})
		return g
	}
	if o.Distinct != nil {
		g.distinct = newDistinct(o, g.fail)
	}
	return g
}

// Add joins a source, under a name that no other member has. The group has its
// messages to itself from then on: nobody else may take them, until the member is
// removed or has ended. The source stays the caller's, who ends it.
//
// The error is a *result.ArgumentError for a name in use or a nil source, one that is
// net.ErrClosed after Close, and [stream.ErrTaken] where the source's messages are taken.
func (g *Group) Add(name string, src stream.Source) (*Member, error) {
	m := &Member{group: g, name: name, src: src, leave: func() {}}
	if _, one := src.(*stream.Conn); one {
		m.epoch.Store(1)
		m.open.Store(true)
	}
	g.joining.Lock()
	defer g.joining.Unlock()
	if err := g.enlist(m); err != nil {
		return nil, err
	}
	o := &stream.JoinOptions{Origin: stream.Origin{Name: name, Epoch: 1}, Taken: m.taken, Notice: m.notice, Ended: m.ended}
	if g.distinct != nil {
		o.Keep = m.first
	}
	leave, err := g.feeder.Join(src, o)
	if err != nil {
		g.strike(m, nil)
		return nil, err
	}
	m.leave = leave
	return m, nil
}

// enlist puts a member on the list.
func (g *Group) enlist(m *Member) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case m.src == nil:
		return &result.ArgumentError{Name: "src of fanin.Group.Add", Allowed: "a source, not nil"}
	case g.closed:
		return errClosed
	case g.members[m.name] != nil:
		return &result.ArgumentError{Name: "name of fanin.Group.Add", Value: m.name, Allowed: "a name that no member of the group has"}
	}
	g.members[m.name] = m
	return nil
}

// strike takes a member off the list, once, and notes how it has ended, if it has.
func (g *Group) strike(m *Member, st *result.Status) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members[m.name] != m {
		return
	}
	delete(g.members, m.name)
	if st != nil {
		g.outcome.add(m.name, *st)
	}
}

// Members returns the members, in the order of their names. One that has ended is no
// member any more.
func (g *Group) Members() []*Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	members := slices.Collect(maps.Values(g.members))
	slices.SortFunc(members, func(a, b *Member) int { return strings.Compare(a.name, b.name) })
	return members
}

// Close lets nobody join any more: the group ends with its last member, at once if it
// has none. To end it earlier, remove the members as well.
func (g *Group) Close() {
	g.joining.Lock()
	defer g.joining.Unlock()
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.finish()
}

// fail ends the group, whose members are left.
func (g *Group) fail(err error) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.feeder.End(result.Status{Code: result.StatusAbnormalClosure, Err: err})
}

// finish ends the group if it was closed and has no member.
func (g *Group) finish() {
	g.mu.Lock()
	over, st := g.closed && len(g.members) == 0, g.outcome.status()
	g.mu.Unlock()
	if over {
		g.feeder.End(st)
	}
}
