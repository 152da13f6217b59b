package stream

import (
	"context"
	"errors"
	"testing"

	"github.com/wsflow/wsflow/result"
)

// A nudged source counts who interrupts its reading.
type nudged struct {
	Source
	by int32
}

func (n *nudged) nudge(by int32) { n.by += by }

// A session that is stopped interrupts its source's reading until it ends; one that is
// over disturbs nobody.
func TestSessionNudges(t *testing.T) {
	src := &nudged{}
	s := &session{parent: context.Background(), src: src}
	if s.Err() != nil || closed(s.Done()) {
		t.Errorf("a session that goes on is done, with %v", s.Err())
	}
	s.stop()
	s.stop()
	if src.by != 1 || s.Err() != errTurn || !closed(s.Done()) {
		t.Errorf("stopped: it nudges by %d, its error is %v", src.by, s.Err())
	}
	s.end()
	if src.by != 0 {
		t.Errorf("over: it nudges by %d", src.by)
	}
	late := &session{parent: context.Background(), src: src}
	late.end()
	late.stop()
	if src.by != 0 {
		t.Errorf("stopped when it was over, it nudges by %d", src.by)
	}
}

// The taker's own context goes first.
func TestSessionTellsItsTakersCause(t *testing.T) {
	cause := errors.New("no more")
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &session{parent: ctx, src: &nudged{}}
	s.stop()
	cancel(cause)
	if s.Err() != cause {
		t.Errorf("the error is %v, want %v", s.Err(), cause)
	}
}

// A source whose end has just come is taken: its stream ends while its lane comes, and
// the Relay's wiring is not waited for by who has it.
func TestASourceEndsAsItIsTaken(t *testing.T) {
	inner, _ := NewRelay(nil)
	outer, f := NewRelay(nil)
	if _, err := f.Join(inner, &JoinOptions{Ended: f.End}); err != nil {
		t.Fatal(err)
	}
	inner.settled(result.Status{Code: 1000}) // as End does, which has not come further
	sub := outer.Chan(context.Background(), nil)
	for range sub.C {
	}
	if err := sub.Err(); err != nil {
		t.Error(err)
	}
}

// Whoever finds that a source was taken out, as it has just ended, joins it again at once.
func TestARemovedSourceIsFreeAtOnce(t *testing.T) {
	inner, _ := NewRelay(nil)
	outer, f := NewRelay(nil)
	if _, err := f.Join(inner, nil); err != nil {
		t.Fatal(err)
	}
	if !outer.remove(outer.feeds[0]) { // as finish does, which has not come further
		t.Fatal("it was not there")
	}
	leave, err := f.Join(inner, nil)
	if err != nil {
		t.Fatal(err)
	}
	leave()
}

// A source that was left and joined again stays, whoever leaves it once more.
func TestLeavingTwiceLeavesOnce(t *testing.T) {
	inner, _ := NewRelay(nil)
	outer, f := NewRelay(nil)
	leave, err := f.Join(inner, nil)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	if _, err := f.Join(inner, nil); err != nil {
		t.Fatal(err)
	}
	leave()
	if n := len(outer.sources()); n != 1 {
		t.Errorf("the Relay has %d sources, want 1", n)
	}
}

// A late source has ended, but holds a message yet: its last taker gave it back as a
// Relay was about to take.
type late struct {
	*Relay
	held []Message
}

func (l *late) enroll(lane, *feed) error { return errOver }

func (l *late) loop(_ context.Context, _ *feed, yield func(Message, error) bool) (over bool, err error) {
	for _, m := range l.held {
		yield(m, nil)
	}
	return true, nil
}

func TestWhatIsGivenBackAtTheEndIsHandedOn(t *testing.T) {
	outer, f := NewRelay(nil)
	sub := outer.Chan(context.Background(), nil)
	inner, _ := NewRelay(nil)
	src := &late{inner, []Message{{Type: Text, Data: []byte("late")}}}
	if _, err := f.Join(src, &JoinOptions{Ended: f.End}); err != nil {
		t.Fatal(err)
	}
	if m := <-sub.C; m.String() != "late" {
		t.Errorf("%q comes, want the message that was given back", m)
	}
	if m, ok := <-sub.C; ok {
		t.Errorf("%q comes behind it", m)
	}
	if err := sub.Err(); err != nil {
		t.Error(err)
	}
}

// A leaving source is taken out of its Relay just as a loop is about to read from it.
type leaving struct {
	*Relay
	quit func()
}

func (l *leaving) loop(context.Context, *feed, func(Message, error) bool) (over bool, err error) {
	l.quit()
	return false, ErrTaken // as it is another's now
}

func TestLoopOutlivesASourceThatLeaves(t *testing.T) {
	outer, f := NewRelay(nil)
	inner, _ := NewRelay(nil)
	src := &leaving{Relay: inner}
	leave, err := f.Join(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	src.quit = func() {
		leave()
		go func() { // ends when the message is taken
			f.Put(context.Background(), Message{Type: Text, Data: []byte("from another")})
			f.End(result.Status{Code: result.StatusNormalClosure})
		}()
	}
	var got []string
	for m, err := range outer.All(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m.String())
	}
	if len(got) != 1 || got[0] != "from another" {
		t.Errorf("got %q", got)
	}
}

// A looked source counts how often it is asked whether it has ended.
type looked struct {
	*Relay
	looks *int
}

func (l *looked) ended() bool {
	*l.looks++
	return l.Relay.ended()
}

// Sources may come and go by the thousand: nobody looks at all of them for one.
func TestASourceThatComesLeavesOthersAlone(t *testing.T) {
	const sources = 100
	_, f := NewRelay(nil)
	looks := 0
	var leaves []func()
	for range sources {
		inner, _ := NewRelay(nil)
		leave, err := f.Join(&looked{inner, &looks}, nil)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	for _, leave := range leaves {
		leave()
	}
	if looks > 2*sources {
		t.Errorf("%d sources were looked at %d times", sources, looks)
	}
}
