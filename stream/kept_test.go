package stream

import (
	"context"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/internal/bufpool"
)

func texts(words ...string) (messages []Message) {
	for _, word := range words {
		messages = append(messages, Message{Type: Text, Data: []byte(word)})
	}
	return messages
}

func said(messages []Message) (words []string) {
	for _, m := range messages {
		words = append(words, m.String())
	}
	return words
}

// What was given back comes before what is at hand, and both before what was kept
// earlier.
func TestKeptComesInOrder(t *testing.T) {
	var s source
	s.keepLast(texts("e", "f"))
	s.keepFirst(texts("d"), texts("a", "b"), nil, texts("c"))
	s.keepLast(texts("g"))
	if got := said(s.kept); !slices.Equal(got, []string{"a", "b", "c", "d", "e", "f", "g"}) {
		t.Errorf("kept are %q", got)
	}
	if s.keepFirst(nil, nil); !s.keeps() {
		t.Error("nothing is kept")
	}
	if s.dropAll(); s.keeps() {
		t.Error("what was dropped is kept")
	}
}

// Messages at hand that are lent are copied; those that are owned are not.
func TestKeptIsOwned(t *testing.T) {
	var s source
	lent, owned := texts("lent")[0], texts("owned")[0].Clone()
	s.keepLast([]Message{lent, owned})
	clear(lent.Data)
	if got := said(s.kept); !slices.Equal(got, []string{"lent", "owned"}) {
		t.Errorf("kept are %q", got)
	}
	if &s.kept[1].Data[0] != &owned.Data[0] {
		t.Error("an owned message was copied")
	}
	before := bufpool.Lent()
	s.drop()
	if n := before - bufpool.Lent(); raceDetector && n != 2 {
		t.Errorf("%d buffers came back, want 2", n)
	}
}

// Whoever takes next gets one message at a time, and knows when there is none.
func TestNextKept(t *testing.T) {
	c := &Conn{}
	c.source.keepLast(texts("a", "b"))
	for _, want := range []string{"a", "b", ""} {
		m, err := c.nextKept(context.Background())
		if m.String() != want || (m.Type == 0) != (want == "") || err != nil {
			t.Errorf("got %q of type %v, error %v; want %q", m, m.Type, err, want)
		}
	}
	c.source.over = true
	if _, err := c.nextKept(context.Background()); err != errOver {
		t.Errorf("behind the end: error %v", err)
	}
}
