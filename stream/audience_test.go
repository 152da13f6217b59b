package stream

import (
	"errors"
	"slices"
	"testing"
)

var errFull = errors.New("it takes no more")

// A narrow lane takes so many messages, and none after that.
type narrow struct {
	room  int
	got   []string
	holds []Message // what it has gathered and not given
	ends  []error
}

func (l *narrow) give(_ giver, messages []Message) (given int, err error) {
	n := min(len(messages), l.room)
	l.got, l.room = append(l.got, said(messages[:n])...), l.room-n
	if n < len(messages) {
		err = errFull
	}
	return n, err
}

func (l *narrow) rest(giver) error { return nil }
func (l *narrow) close() []Message { return l.holds }
func (l *narrow) end(err error)    { l.ends = append(l.ends, err) }
func (l *narrow) blocks() bool     { return true }
func (l *narrow) owes() bool       { return false }

// audienceOf returns an audience that has settled with lanes.
func audienceOf(t *testing.T, lanes ...*narrow) *audience {
	t.Helper()
	a := &audience{g: bystander{}, s: &source{}}
	for _, l := range lanes {
		if _, _, err := a.s.join(l, nil); err != nil {
			t.Fatal(err)
		}
	}
	a.settle()
	return a
}

// Each lane gets all messages. One that takes no more is told so, and leaves; the
// others go on.
func TestAudienceGivesToAll(t *testing.T) {
	wide, slim := &narrow{room: 10}, &narrow{room: 1}
	a := audienceOf(t, wide, slim)
	if !a.crowded() {
		t.Error("two lanes are no crowd")
	}
	a.give(texts("a", "b"))
	a.give(texts("c"))
	if want := []string{"a", "b", "c"}; !slices.Equal(wide.got, want) || len(wide.ends) != 0 {
		t.Errorf("the one got %q and ended with %v", wide.got, wide.ends)
	}
	if !slices.Equal(slim.got, []string{"a"}) || !slices.Equal(slim.ends, []error{errFull}) {
		t.Errorf("the other got %q and ended with %v", slim.got, slim.ends)
	}
	if a.s.keeps() || a.crowded() {
		t.Error("what somebody else was given is kept, or both are still there")
	}
}

// What the last lane was not given is kept: what it had gathered comes first, then what
// was at hand.
func TestAudienceKeepsWhatTheLastWasNotGiven(t *testing.T) {
	l := &narrow{room: 1, holds: texts("gathered")}
	a := audienceOf(t, l)
	a.give(texts("a", "b", "c"))
	if got := said(a.s.kept); !slices.Equal(got, []string{"gathered", "b", "c"}) {
		t.Errorf("kept are %q", got)
	}
	if len(a.lanes) != 0 {
		t.Error("the lane is still there")
	}
}

// Where all lanes end at once, what the last of them was not given is kept.
func TestAudienceWhoseLanesEndAtOnce(t *testing.T) {
	a := audienceOf(t, &narrow{room: 1}, &narrow{room: 3}, &narrow{room: 2})
	a.give(texts("a", "b", "c", "d"))
	if got := said(a.s.kept); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("kept are %q", got)
	}
}

// Several lanes get copies of messages that the giver owns, and the giver's are
// released; a lane that is alone gets the messages themselves.
func TestAudienceGivesWhatItOwns(t *testing.T) {
	for name, lanes := range map[string][]*narrow{"one": {{room: 1}}, "two": {{room: 1}, {room: 1}}} {
		a := audienceOf(t, lanes...)
		messages := []Message{texts("mine")[0].Clone()}
		a.giveOwned(messages)
		if lent := messages[0].own == nil; lent != (len(lanes) > 1) {
			t.Errorf("%s: the messages are lent: %t", name, lent)
		}
		for _, l := range lanes {
			if !slices.Equal(l.got, []string{"mine"}) {
				t.Errorf("%s: a lane got %q", name, l.got)
			}
		}
	}
}
