// Package storetest holds what every feed.Store must do. A store's own test gives
// it an [Arrangement]:
//
//	func TestMemory(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Arrangement {
//			m := feed.NewMemory()
//			return storetest.Arrangement{Open: func() feed.Store { return m.View() }, Read: m.Records}
//		})
//	}
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/wsflow/wsflow/feed"
)

// An Arrangement is an empty place for records, and how to reach it. What it
// needs is closed by t.Cleanup.
type Arrangement struct {
	// Open returns one more worker's view of the records.
	Open func() feed.Store
	// Read returns all records of a feed, in the order in which they are stored.
	Read func(feed string) []feed.Record
	// Lose makes the answer to the next Append of a store that Open returned get
	// lost: the records are stored, but Append hears nothing of it and fails. nil
	// if that cannot happen.
	Lose func(s feed.Store)
	// Oversize is a length of Data that the store cannot hold; 0 if there is none.
	Oversize int
}

// Run runs all tests of the kit, each on an arrangement of its own.
func Run(t *testing.T, arrange func(t *testing.T) Arrangement) {
	for _, test := range []struct {
		name string
		run  func(b *bench)
	}{
		{"a store that is empty", empty},
		{"the last record", last},
		{"all fields", fields},
		{"names and cursors of any kind", spelling},
		{"the order", order},
		{"data is not kept", lent},
		{"a conflict stores nothing", conflict},
		{"a conflict over a new feed", conflictNew},
		{"the way out of a conflict", recovery},
		{"workers that fight", fight},
		{"workers side by side", beside},
		{"an answer that is lost", lostAnswer},
		{"an answer that is lost, and Last", lostThenLast},
		{"an answer that is lost, and a successor", lostThenTaken},
		{"a record that is too large", oversize},
		{"a context that has ended", ended},
		{"many feeds", many},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(&bench{t, arrange(t)}) })
	}
}

// patience is how long a call may take.
const patience = 30 * time.Second

// A bench is an arrangement under test.
type bench struct {
	*testing.T
	Arrangement
}

func (b *bench) context() context.Context {
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	b.Cleanup(cancel)
	return ctx
}

func (b *bench) last(s feed.Store, feeds ...string) map[string]feed.Record {
	b.Helper()
	found, err := s.Last(b.context(), feeds)
	if err != nil {
		b.Fatalf("Last(%q): %v", feeds, err)
	}
	return found
}

func (b *bench) append(s feed.Store, records ...feed.Record) {
	b.Helper()
	if err := s.Append(b.context(), records); err != nil {
		b.Fatalf("Append: %v", err)
	}
}
