package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wsflow/wsflow/feed"
)

// conflicts requires that an Append stores nothing, as others have written to
// these feeds.
func (b *bench) conflicts(s feed.Store, records []feed.Record, feeds ...string) {
	b.Helper()
	err := s.Append(b.context(), records)
	var c *feed.Conflict
	if !errors.As(err, &c) {
		b.Fatalf("Append ended with %v, want a conflict", err)
	}
	if got := slices.Sorted(slices.Values(c.Feeds)); !slices.Equal(got, feeds) {
		b.Fatalf("the conflict is over %q, want %q", got, feeds)
	}
}

func conflict(b *bench) {
	old, new := b.Open(), b.Open()
	b.append(old, record("a", 1), record("b", 1), record("c", 1))
	b.last(new, "a", "c")
	b.append(new, record("a", 2), record("c", 2))
	b.conflicts(old, []feed.Record{record("b", 2), record("a", 2), record("a", 3), record("c", 2)}, "a", "c")
	b.conflicts(old, series("a", 2, 2), "a")
	b.holds("a", series("a", 1, 2)...)
	b.holds("b", series("b", 1, 1)...)
	b.holds("c", series("c", 1, 2)...)
}

func conflictNew(b *bench) {
	one, two := b.Open(), b.Open()
	b.last(one, "a")
	b.last(two, "a")
	b.append(one, record("a", 1))
	b.conflicts(two, []feed.Record{record("a", 1), record("b", 1)}, "a")
	b.conflicts(b.Open(), series("a", 1, 1), "a") // it never asked
	b.holds("a", record("a", 1))
	b.holds("b")
}

func recovery(b *bench) {
	old, new := b.Open(), b.Open()
	b.append(old, record("a", 1), record("b", 1))
	b.last(new, "a")
	b.append(new, record("a", 2))
	b.conflicts(old, []feed.Record{record("a", 2), record("b", 2)}, "a")
	b.append(old, record("b", 2))
	b.same("the last", b.last(old, "a")["a"], record("a", 2))
	b.append(old, record("b", 3), record("a", 3))
	b.conflicts(new, series("a", 3, 3), "a")
	b.holds("a", series("a", 1, 3)...)
	b.holds("b", series("b", 1, 3)...)
}

// tries is how often a call is repeated at most.
const tries = 500

// fight lets workers write to the same feeds: each reads the last number and goes
// on behind it, until there are enough. One that comes too late must not write.
func fight(b *bench) {
	const workers, most = 4, 40
	feeds := []string{"x", "y"}
	var all sync.WaitGroup
	for range workers {
		s := b.Open()
		ctx := b.context()
		all.Go(func() {
			for range tries {
				at, err := s.Last(ctx, feeds)
				if err != nil {
					b.Errorf("Last: %v", err)
					return
				}
				var batch []feed.Record
				for _, f := range feeds {
					n, _ := strconv.Atoi(at[f].Cursor)
					batch = append(batch, series(f, n+1, min(n+3, most))...)
				}
				if len(batch) == 0 {
					return
				}
				var c *feed.Conflict
				if err := s.Append(ctx, batch); err != nil && !errors.As(err, &c) {
					b.Logf("Append: %v", err) // It is not known whether it was done: ask again.
				}
			}
			b.Errorf("a worker has not seen the end in %d tries", tries)
		})
	}
	all.Wait()
	for _, f := range feeds {
		b.holds(f, series(f, 1, most)...)
	}
}

// beside lets workers write to feeds of their own, none of which is in the way of
// another's.
func beside(b *bench) {
	const workers, rounds = 4, 10
	var all sync.WaitGroup
	for w := range workers {
		s, name := b.Open(), fmt.Sprint("f", w)
		all.Go(func() {
			for n := range rounds {
				if err := s.Append(b.context(), series(name, 5*n, 5*n+4)); err != nil {
					b.Errorf("Append: %v", err)
				}
			}
		})
	}
	all.Wait()
	for w := range workers {
		name := fmt.Sprint("f", w)
		b.holds(name, series(name, 0, 5*rounds-1)...)
	}
}

// deafness is how long an answer that is lost is waited for.
const deafness = time.Second

// loses lets an Append be done whose answer is lost.
func (b *bench) loses(s feed.Store, records ...feed.Record) {
	b.Helper()
	if b.Lose == nil {
		b.Skip("answers of this store do not get lost")
	}
	b.Lose(s)
	ctx, cancel := context.WithTimeout(b.context(), deafness)
	defer cancel()
	err := s.Append(ctx, records)
	var c *feed.Conflict
	if err == nil || errors.As(err, &c) {
		b.Fatalf("an Append whose answer is lost ended with %v", err)
	}
}

// again repeats an Append until it is known what became of it.
func (b *bench) again(s feed.Store, records ...feed.Record) (err error) {
	ctx := b.context()
	for range tries {
		err = s.Append(ctx, records)
		var c *feed.Conflict
		if err == nil || errors.As(err, &c) || ctx.Err() != nil {
			break
		}
	}
	return err
}

func lostAnswer(b *bench) {
	s := b.Open()
	b.append(s, record("a", 1))
	batch := []feed.Record{record("a", 2), record("b", 1), record("a", 3)}
	b.loses(s, batch...)
	if err := b.again(s, batch...); err != nil {
		b.Fatalf("the repeated Append: %v", err)
	}
	b.append(s, record("a", 4), record("b", 2))
	b.holds("a", series("a", 1, 4)...)
	b.holds("b", series("b", 1, 2)...)
}

func lostThenLast(b *bench) {
	s := b.Open()
	b.loses(s, record("a", 1), record("b", 1))
	ctx := b.context()
	at, err := s.Last(ctx, []string{"a", "b"})
	for n := 1; err != nil && n < tries; n++ {
		at, err = s.Last(ctx, []string{"a", "b"})
	}
	b.same("the last of a", at["a"], record("a", 1))
	b.append(s, record("a", 2), record("b", 2))
	b.holds("a", series("a", 1, 2)...)
	b.holds("b", series("b", 1, 2)...)
}

// lostThenTaken lets another worker go on behind records whose answer is lost.
func lostThenTaken(b *bench) {
	s, successor := b.Open(), b.Open()
	batch := []feed.Record{record("a", 1), record("b", 1)}
	b.loses(s, batch...)
	b.last(successor, "a")
	b.append(successor, record("a", 2))
	if err := b.again(s, batch...); err != nil {
		b.Errorf("the repeated Append: %v; b tells that it was done", err)
	}
	b.conflicts(s, []feed.Record{record("a", 2), record("b", 2)}, "a")
	b.append(s, record("b", 2))
	b.holds("a", series("a", 1, 2)...)
	b.holds("b", series("b", 1, 2)...)
	if _, err := s.Last(context.Background(), []string{"a"}); err != nil {
		b.Errorf("Last: %v", err)
	}
}
