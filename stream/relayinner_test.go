package stream

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/result"
)

// A stub is a lane that takes all it is given.
type stub struct{ debts bool }

func (*stub) give(_ giver, messages []Message) (int, error) { return len(messages), nil }
func (*stub) rest(giver) error                              { return nil }
func (*stub) close() []Message                              { return nil }
func (*stub) end(error)                                     {}
func (*stub) blocks() bool                                  { return true }
func (s *stub) owes() bool                                  { return s.debts }

// Origins without end of a source's messages take bounded memory.
func TestLabelsAreBounded(t *testing.T) {
	f := &feed{labels: map[*Origin]*tag{}}
	for range 3 * labelsMost {
		f.relabel(&tag{origin: &Origin{Epoch: 1}})
		if n := len(f.labels); n > labelsMost {
			t.Fatalf("%d origins are remembered, want at most %d", n, labelsMost)
		}
	}
}

// A Put that finds too much at hand, while the first subscriber has just come, does not
// wait for another one.
func TestPutSeesATakerThatHasJustCome(t *testing.T) {
	r, _ := NewRelay(nil)
	p := &putting{ctx: context.Background()}
	if err := r.lock(p, nil); err != nil {
		t.Fatal(err)
	}
	r.hoard = hoardMost
	if _, _, err := r.source.join(&stub{}, nil); err != nil { // as enroll does, which has not come further
		t.Fatal(err)
	}
	if moved, err := r.putNow(p, Message{Type: Text}); err != nil || !closed(moved) {
		t.Errorf("it waits, or fails with %v", err)
	}
	if err := r.lock(p, nil); err != nil {
		t.Fatal(err)
	}
	if moved, err := r.putNow(p, Message{Type: Text}); err != nil || moved != nil {
		t.Errorf("it does not give: %v", err)
	}
}

// A taker who owes what it did not hand on may subscribe again before it gives that back.
func TestWhoOwesMaySubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, f := NewRelay(nil)
		first, second := &stub{debts: true}, &stub{debts: true}
		if err := r.subscribe(first); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.source.leave(first)
		if err := r.subscribe(second); err != nil {
			t.Fatal(err)
		}
		r.giveBack(first, nil)
		synctest.Wait()
		if n := len(r.audience.lanes); n != 1 {
			t.Errorf("there are %d lanes, want the second alone", n)
		}
		r.source.leave(second)
		r.giveBack(second, nil)
		f.End(result.Status{Code: result.StatusNormalClosure})
	})
}
