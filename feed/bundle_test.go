package feed

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// filled returns a bundle with records of feeds, named by a letter each; a capital
// letter is the mark of a feed.
func filled(letters string, marks map[string]*stint) *bundle {
	b := new(bundle)
	for i, c := range letters {
		if name := string(c); name < "a" {
			marks[name] = new(stint)
			b.addMark(marks[name])
		} else {
			b.add(Record{Feed: name, Cursor: fmt.Sprint(i)}, stream.Message{Data: make([]byte, 10)})
		}
	}
	return b
}

func letters(records []Record) (s string) {
	for _, r := range records {
		s += r.Feed
	}
	return s
}

// A mark comes out with the last record before it.
func TestBundle(t *testing.T) {
	marks := map[string]*stint{}
	b := filled("AabBcaC", marks)
	for _, step := range []struct {
		most    int
		records string
		marks   string
	}{
		{1, "a", "A"}, {1, "b", "B"}, {10, "ca", "C"}, {10, "", ""},
	} {
		records, items := b.first(step.most)
		if got := letters(records); got != step.records {
			t.Fatalf("the first records are %q, want %q", got, step.records)
		}
		var want []*stint
		for _, c := range step.marks {
			want = append(want, marks[string(c)])
		}
		if got := b.done(items); !slices.Equal(got, want) {
			t.Fatalf("behind %q there are %d marks, want %q", step.records, len(got), step.marks)
		}
	}
	if b.records != 0 || b.bytes != 0 || len(b.items) != 0 {
		t.Errorf("the empty bundle is %+v", b)
	}
}

// The records of some feeds may be left out; marks stay.
func TestBundleWithout(t *testing.T) {
	marks := map[string]*stint{}
	b := filled("abAcaB", marks)
	if n := b.without([]string{"a", "x"}); n != 2 {
		t.Errorf("%d records were left out, want 2", n)
	}
	records, items := b.first(10)
	if got := letters(records); got != "bc" || b.records != 2 || b.bytes != 20 {
		t.Errorf("there are %q, %d records, %d bytes", got, b.records, b.bytes)
	}
	if got := b.done(items); len(got) != 2 {
		t.Errorf("there are %d marks, want 2", len(got))
	}
}

func TestBundleFull(t *testing.T) {
	b := filled("aaa", nil)
	if b.full(4) || !b.full(3) {
		t.Error("it does not count records")
	}
	b.add(Record{}, stream.Message{Data: make([]byte, bundleBytes)})
	if !b.full(100) {
		t.Error("it does not count bytes")
	}
	b = filled("aaa", nil)
	b.add(Record{Data: make([]byte, bundleBytes)}, stream.Message{})
	if !b.full(100) {
		t.Error("it does not count the bytes of records that are larger than their messages")
	}
}

// An Append has hardly more than bundleBytes, but for one record that is larger.
func TestBundleBytes(t *testing.T) {
	b := new(bundle)
	for _, part := range []int{2, 2, 2, 1} {
		b.add(Record{Data: make([]byte, bundleBytes/part)}, stream.Message{})
	}
	var got []int
	for len(b.items) > 0 {
		records, items := b.first(100)
		got = append(got, len(records))
		b.done(items)
	}
	if want := []int{2, 2}; !slices.Equal(got, want) || b.bytes != 0 {
		t.Errorf("the records are stored in parts of %d, want %d; %d bytes are left", got, want, b.bytes)
	}
}
