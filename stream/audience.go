package stream

import (
	"slices"

	"github.com/wsflow/wsflow/internal/bufpool"
)

// A lane is one giver's way into a subscription. The giver calls its methods, one at
// a time.
type lane interface {
	// give hands over messages, lent ones or such as the lane owns from then
	// on, and returns how many were given to the subscriber: all of them, or
	// fewer and an error. Those that were not given stay the caller's. After
	// errLeft the lane leaves the source by itself, soon; after any other error
	// the caller sees to it.
	give(g giver, messages []Message) (given int, err error)
	// rest is called when no more messages are at hand for now. Its error is as
	// give's.
	rest(g giver) error
	// close is called once the lane has left. It returns what the lane has
	// gathered and not given.
	close() []Message
	// end says that no more messages come; err is nil after a success.
	end(err error)
	// blocks reports that give may wait.
	blocks() bool
	// owes reports that what the lane was given is not given to the subscriber
	// yet: when that has ended, the source is told with giveBack.
	owes() bool
}

// A giver gives messages to lanes: the fan-out of a connection, or a Relay on behalf
// of whoever feeds it. A lane asks it while it is being given some.
type giver interface {
	// halted reports that messages may not be given now.
	halted() bool
	// attend waits while that is so for a pause. The error is errOver once what is
	// at hand is to be thrown away, or that of the last lane, which has left.
	attend() error
	// quit is closed when what is at hand is to be thrown away.
	quit() <-chan struct{}
	// lose throws away messages that were not given when quit was closed.
	lose(messages []Message)
	// stalled is called by a lane that has waited for its subscriber for a while.
	stalled()
	// shared returns the reader's buffer, if the messages were given away with it.
	shared() *bufpool.Buffer
	// crowded reports that there are several lanes.
	crowded() bool
}

// A batchLane is a lane that may take batches which were made elsewhere.
type batchLane interface {
	lane
	// gathers returns how many bytes a batch may have, 0 if the lane takes none now.
	gathers() (bytes int)
	// giveBatch is give for a batch. Its slice is the lane's from then on, unless none
	// of it was given.
	giveBatch(g giver, b batch) (given int, err error)
}

// An audience is the lanes of a source as the one who gives to them knows them. What
// the last one was not given is kept for whoever takes messages next.
type audience struct {
	g     giver
	s     *source
	lanes []member // those of the source at this version
	seen  uint32   // the source's version
	short bool     // some member has an error
}

// A member is a lane as its giver knows it.
type member struct {
	lane
	err  error     // why it takes no more
	left []Message // what is at hand and was not given to it
}

// give hands messages to all lanes. They are lent, or there is one lane, which
// owns them then.
func (a *audience) give(messages []Message) {
	for i := range a.lanes {
		m := &a.lanes[i]
		if given, err := m.give(a.g, messages); err != nil {
			a.stop(m, err, messages[given:])
		}
	}
	a.settle()
}

// giveBatch is give for the only lane, and for a batch of messages that it is to own:
// if it can, it takes the slice with them.
func (a *audience) giveBatch(b batch) {
	m := &a.lanes[0]
	l, ok := m.lane.(batchLane)
	if !ok || l.gathers() == 0 {
		a.give(b.have)
		return
	}
	if given, err := l.giveBatch(a.g, b); err != nil {
		a.stop(m, err, b.have[given:])
	}
	a.settle()
}

// prefers tells whether there is one lane that blocks, and what gathers returns for it.
func (a *audience) prefers() (blocks bool, bytes int) {
	if len(a.lanes) != 1 || !a.lanes[0].blocks() {
		return false, 0
	}
	if l, ok := a.lanes[0].lane.(batchLane); ok {
		bytes = l.gathers()
	}
	return true, bytes
}

// giveOwned hands over messages that the giver owns. Several lanes get copies.
func (a *audience) giveOwned(messages []Message) {
	if len(a.lanes) == 1 {
		a.give(messages)
		return
	}
	owned := slices.Clone(messages)
	for i := range messages {
		messages[i].own = nil
	}
	a.give(messages)
	release(owned)
}

// stop notes that a lane takes no more, and what it was not given.
func (a *audience) stop(m *member, err error, left []Message) {
	m.err, m.left, a.short = err, left, true
	if err != errLeft {
		a.s.leave(m.lane)
		m.end(err)
	}
}

// settle brings the list of lanes up to date. Messages that are at hand must
// still be there: if nobody was given all of them, those that the last lane was
// not given are kept.
func (a *audience) settle() {
	if a.s.version.Load() == a.seen && !a.short {
		return
	}
	if len(a.lanes) == 0 {
		a.meet()
		return
	}
	a.rest() // nothing is gathered that a lane which has come does not get
	a.part()
	a.short = false
}

// meet takes in the first lanes. It needs little stack, as a loop that waits has one.
func (a *audience) meet() {
	a.seen = a.s.version.Load()
	lanes, _, back := a.s.parted(nil)
	if len(back) > 0 {
		a.s.keepFirst(nil, back)
	}
	a.know(lanes)
}

// part takes in which lanes have come and left, and keeps what the last one was not
// given.
func (a *audience) part() {
	var ended []lane
	for i := range a.lanes {
		if a.lanes[i].err != nil {
			ended = append(ended, a.lanes[i].lane)
		}
	}
	a.seen = a.s.version.Load()
	lanes, last, back := a.s.parted(ended)
	heir := a.heir(last, len(ended) == len(a.lanes))
	var gathered, left []Message
	for i := range a.lanes {
		m := &a.lanes[i]
		if i != heir && slices.Contains(lanes, m.lane) {
			continue
		}
		have := m.close()
		if i == heir {
			gathered, left = have, m.left
		} else {
			release(have)
		}
	}
	a.s.keepFirst(left, back, gathered)
	a.know(lanes)
}

func (a *audience) know(lanes []lane) {
	a.lanes = a.lanes[:0]
	for _, l := range lanes {
		a.lanes = append(a.lanes, member{lane: l})
	}
}

// dismiss forgets the lanes of a stream that has ended: what they owe they give back
// themselves.
func (a *audience) dismiss() {
	a.lanes, a.seen, a.short = a.lanes[:0], a.s.version.Load(), false
}

// heir returns which lane's messages the next taker gets: those of the last one
// that left, or, where another has come meanwhile and none was given all that is
// at hand, those of the lane that was given most of it; -1 is none.
func (a *audience) heir(last lane, ended bool) int {
	heir := slices.IndexFunc(a.lanes, func(m member) bool { return m.lane == last })
	if heir >= 0 || !ended || len(a.lanes) == 0 {
		return heir
	}
	heir = 0
	for i := range a.lanes {
		if len(a.lanes[i].left) < len(a.lanes[heir].left) {
			heir = i
		}
	}
	return heir
}

// rest tells all lanes that no more messages are at hand for now.
func (a *audience) rest() {
	for i := range a.lanes {
		a.restOne(&a.lanes[i])
	}
}

func (a *audience) restOne(m *member) {
	if m.err != nil {
		return
	}
	if err := m.rest(a.g); err != nil {
		a.stop(m, err, nil)
	}
}

// restEasy lets those lanes that never wait hand on what they have gathered.
func (a *audience) restEasy() {
	for i := range a.lanes {
		if m := &a.lanes[i]; !m.blocks() {
			a.restOne(m)
		}
	}
}

// crowded reports that there are several lanes.
func (a *audience) crowded() bool { return len(a.lanes) > 1 }
