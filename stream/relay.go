package stream

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/reactivex/rxgo/v2"
	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/result"
	"go.uber.org/zap"
)

// A Source gives messages: a [Conn], a [Relay], and what is built on a Relay.
type Source interface {
	All(ctx context.Context) iter.Seq2[Message, error]
	Chan(ctx context.Context, opts *SubscribeOptions) *Subscription[Message]
	Batches(ctx context.Context, opts *SubscribeOptions) *Subscription[[]Message]
	Done() <-chan struct{}
	Result() *result.Promise

	// adopt makes a feed the only one for whom messages are taken; disown ends that.
	adopt(f *feed) error
	disown(f *feed)
	// enroll adds a lane of a feed, and leave takes a lane out. The error of enroll
	// is errOver after the end of the stream.
	enroll(l lane, by *feed) error
	leave(l lane)
	// loop hands messages on, on the caller's goroutine, as a loop over All. It
	// tells whether the stream is over.
	loop(ctx context.Context, by *feed, yield func(Message, error) bool) (over bool, err error)
	// nudge, with 1, makes such a loop look at its context now; -1 takes that back.
	nudge(by int32)
	// reclaim ends the discarding of messages. It returns an error that counts what
	// is gone, once.
	reclaim() error
	// ended reports that the terminal event is there.
	ended() bool
}

var (
	_ Source = (*Conn)(nil)
	_ Source = (*Relay)(nil)
)

// A Relay is a source made of others: of connections one after another, of many at
// once, or of messages that a program puts in. It has the faces that a [Conn] has,
// with the same promises, and a terminal event of its own. Whoever is handed a Relay
// can take messages, and do no more; what is written into it comes through its
// [Feeder].
//
// Messages tell by [Message.Origin] which connection they came from. What happened
// between two connections stands among them as a [Notice]: a message without data.
//
// All methods may be called from many goroutines, and from callbacks. Who owns the
// bytes of a message is said at [Message]. The life of a Relay ends with [Feeder.End].
type Relay struct {
	// These never change.
	logger  *zap.Logger
	post    func(func())
	takers  func(bool)
	live    bool
	promise *result.Promise
	settled func(result.Status) bool

	source source
	pauses pauses
	paused atomic.Int32 // not zero while pauses are held
	events lazyExecutor

	// Whoever holds turn gives messages to the audience, or lets a source's loop do
	// so, and owns source.kept. It may wait for a subscriber then.
	turn    ctxMutex
	waiting atomic.Int32            // givers that wait for turn
	due     atomic.Bool             // whoever holds turn has to tend to the lanes
	session atomic.Pointer[session] // the source's loop that has the turn; nil if none has

	// Guarded by turn.
	audience audience
	from     giver // on whose behalf messages are given
	hoard    int   // bytes that were kept while there was no taker

	// Guarded by wiring, beneath which no turn is waited for.
	wiring sync.Mutex
	feeds  []*feed
	taken  bool // there are subscribers, as far as the sources are arranged for that

	sole    atomic.Pointer[feed] // the source that a loop over All may read itself
	several atomic.Bool          // sources are joined
	blocks  atomic.Bool          // there is one lane, which blocks
	batches atomic.Int64         // and takes batches of so many bytes that are made elsewhere; 0: it does not
	changes bell                 // tells a loop over All of a change

	telling sync.Mutex
	told    bool // what takers was told last; guarded by telling
}

// RelayOptions are the options of a [Relay]. The zero value and a nil pointer mean
// the defaults.
type RelayOptions struct {
	// Logger gets warnings. Nil means silence.
	Logger *zap.Logger
	// Post runs the callbacks and the promise's continuations, as Options.Post does
	// for a connection. Nil means goroutines of the Relay's sources.
	Post func(func())
	// Takers, if it is not nil, is called with true when the first taker has come,
	// and with false when the last one has gone: calls alternate. It must not block,
	// and must not take messages of this Relay.
	Takers func(any bool)
	// Live drops what comes while there is no taker, and what the last taker was not
	// given. The next taker begins with what is new. Without Live both are kept for
	// it.
	Live bool
}

// NewRelay makes a Relay, and the Feeder through which messages come into it.
func NewRelay(o *RelayOptions) (*Relay, *Feeder) {
	if o == nil {
		o = &RelayOptions{}
	}
	r := &Relay{logger: o.Logger, post: o.Post, takers: o.Takers, live: o.Live}
	if r.logger == nil {
		r.logger = silent
	}
	r.audience.g, r.audience.s = (*relaying)(r), &r.source
	r.promise, r.settled = result.NewPromise(r.postEvent)
	return r, &Feeder{r}
}

// Done returns a channel that is closed at the terminal event, before any stream of
// the Relay ends.
func (r *Relay) Done() <-chan struct{} { return r.promise.Done() }

// Result returns the promise of the terminal event. Its continuations run on a
// goroutine of the Relay, or through RelayOptions.Post, after the callbacks of the
// messages that came before.
func (r *Relay) Result() *result.Promise { return r.promise }

// Chan subscribes to the messages, as [Conn.Chan] does.
func (r *Relay) Chan(ctx context.Context, opts *SubscribeOptions) *Subscription[Message] {
	return chanOf(ctx, r, opts)
}

// Batches subscribes to slices of messages, as [Conn.Batches] does. The messages of a
// batch have one [Origin]; a [Notice] is a batch of its own.
func (r *Relay) Batches(ctx context.Context, opts *SubscribeOptions) *Subscription[[]Message] {
	return batchesOf(ctx, r, opts)
}

// Observable returns the messages as an Observable, as [Conn.Observable] does. The
// predicate [IsData] filters Notices out.
func (r *Relay) Observable(opts *SubscribeOptions) rxgo.Observable { return observableOf(r, opts) }

// ObservableBatches is Observable with items of type []Message, as [Relay.Batches]
// gives them.
func (r *Relay) ObservableBatches(opts *SubscribeOptions) rxgo.Observable {
	return observableBatchesOf(r, opts)
}

// OnText calls f with each text message, as [Conn.OnText] does: on a goroutine of the
// source or of the Relay, or through RelayOptions.Post. If f panics, the Relay ends with
// the panic's value; its sources are left.
func (r *Relay) OnText(f func(text string)) (stop func()) { return onText(r, f) }

// OnBinary calls f with each binary message; f owns data. See [Relay.OnText].
func (r *Relay) OnBinary(f func(data []byte)) (stop func()) { return onBinary(r, f) }

// OnGap calls f with what each [Notice] tells, in its place among the messages, and
// with the Notice's Origin, which may be nil. Both are shared and must not be changed.
// See [Relay.OnText].
func (r *Relay) OnGap(f func(o *Origin, g *Gap)) (stop func()) {
	return r.callbacks().listen(Notice, func(m Message) func() {
		return func() { f(m.Origin(), m.Gap()) }
	})
}

// Pause stops the delivery of messages until resume is called, as [Conn.Pause] does:
// the sources are held back, and their control frames are looked after. A pause that
// is still held at the Relay's end keeps its streams from ending.
func (r *Relay) Pause() (resume func()) {
	resume = r.pauses.hold(&r.paused, r.tend)
	r.stopSession()
	return resume
}

// ended reports that the terminal event is there.
func (r *Relay) ended() bool {
	_, ok := r.promise.Status()
	return ok
}

// outcome returns the error of the terminal event, which is there.
func (r *Relay) outcome() error {
	status, _ := r.promise.Status()
	return status.Err
}

// postEvent runs f behind what was posted before it, where callbacks run.
func (r *Relay) postEvent(f func()) { r.events.post(f, r.post, &r.source) }

func (r *Relay) log() *zap.Logger      { return r.logger }
func (r *Relay) poster() func(func())  { return r.post }
func (r *Relay) callbacks() *listeners { return r.source.listeners(r) }

func (r *Relay) giveBack(l lane, messages []Message) {
	r.source.giveBack(l, messages)
	go r.tend() // ends when the lanes are up to date
}

// leave takes a lane out. What follows is done by another goroutine: the subscriber
// may have to give something back first.
func (r *Relay) leave(l lane) {
	r.source.leave(l)
	go r.tend() // ends when the lanes are up to date
}

// subscribe adds a lane.
func (r *Relay) subscribe(l lane) error {
	err := r.enroll(l, nil)
	if err == errOver {
		l.end(r.outcome())
		return nil
	}
	return err
}

// enroll adds a lane of a feed, or of nobody's.
func (r *Relay) enroll(l lane, by *feed) error {
	if err := r.reclaim(); err != nil {
		return err
	}
	if _, _, err := r.source.join(l, by); err != nil {
		return err
	}
	if by != nil || l.owes() { // wiring is held, or its taker has to give something back first
		go r.joined() // ends when they are
		return nil
	}
	r.joined()
	return nil
}

// joined sees to what follows when a lane has come.
func (r *Relay) joined() {
	r.tend()
	r.arrange()
	r.tell()
}

// tell tells the Relay's maker whether there is a taker.
func (r *Relay) tell() {
	if r.takers == nil {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	if any, _ := r.source.taken(); any != r.told {
		r.told = any
		r.takers(any)
	}
}

// reclaim ends the discarding of messages in all sources, for one who subscribes. It
// returns an error that counts what is gone, once.
func (r *Relay) reclaim() error {
	gone := r.source.gone.Swap(0)
	for _, f := range r.sources() {
		if lost, ok := f.src.reclaim().(*LostError); ok {
			gone += lost.Messages
		}
	}
	if gone > 0 {
		return lostUntaken(gone)
	}
	return nil
}

func (r *Relay) disown(f *feed) { r.source.disown(f) }

// adopting is held while it is seen whether a Join would make a circle: two at a time
// may each find none.
var adopting sync.Mutex

// adopt refuses a feed of the Relay itself, or of one that it is a source of.
func (r *Relay) adopt(f *feed) error {
	adopting.Lock()
	defer adopting.Unlock()
	for up := f; up != nil; up = up.r.source.adopted() {
		if up.r == r {
			return &result.ArgumentError{Name: "src of stream.Feeder.Join", Value: "the Relay itself", Allowed: "a source that does not take from this Relay"}
		}
	}
	return r.source.adopt(f)
}

func (r *Relay) nudge(by int32) {
	if by > 0 {
		r.stopSession()
	}
}

// panicked ends the Relay for a callback that panicked.
func (r *Relay) panicked(err error) {
	r.end(result.Status{Code: result.StatusInternalError, Err: err})
}

// relaying is the Relay as the giver that it is to its lanes, while somebody has the
// turn.
type relaying Relay

// halted leaves a pause of the source to lock: nobody waits for it who has the turn.
func (r *relaying) halted() bool { return r.paused.Load() != 0 }

// attend waits while the Relay is paused.
func (r *relaying) attend() error {
	for {
		resumed := r.pauses.current()
		if resumed == nil {
			return nil
		}
		moved, none := r.source.moves()
		if none {
			return errLeft
		}
		r.from.stalled()
		select {
		case <-resumed:
		case <-moved:
		case <-r.from.quit():
			return errOver
		}
	}
}

func (r *relaying) quit() <-chan struct{}   { return r.from.quit() }
func (r *relaying) lose(messages []Message) { r.from.lose(messages) }
func (r *relaying) shared() *bufpool.Buffer { return r.from.shared() }
func (r *relaying) crowded() bool           { return r.audience.crowded() }

func (r *relaying) stalled() {
	r.from.stalled()
	r.audience.restEasy()
}
