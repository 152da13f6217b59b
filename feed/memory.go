package feed

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/wsflow/wsflow/internal/check"
)

// A Memory is a [Store] that keeps all records in the memory of the process, for
// tests and for what may be lost: it is the reference for other stores. All
// methods may be called from many goroutines.
type Memory struct {
	log *memoryLog

	// Guarded by log.mu.
	at map[string]int // how many records of each feed this view knows of
}

// A memoryLog holds the records that views share.
type memoryLog struct {
	mu    sync.Mutex
	feeds map[string][]Record
}

var _ Store = (*Memory)(nil)

// NewMemory returns a store that holds nothing.
func NewMemory() *Memory {
	return &Memory{log: &memoryLog{feeds: map[string][]Record{}}, at: map[string]int{}}
}

// View returns another worker's view of the same records.
func (m *Memory) View() *Memory { return &Memory{log: m.log, at: map[string]int{}} }

// Feeds returns the names of all feeds that have records, sorted.
func (m *Memory) Feeds() []string {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	return slices.Sorted(maps.Keys(m.log.feeds))
}

// Records returns copies of all records of a feed, in order.
func (m *Memory) Records(feed string) []Record {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	all := slices.Clone(m.log.feeds[feed])
	for i := range all {
		all[i] = all[i].clone()
	}
	return all
}

// Last implements [Store].
func (m *Memory) Last(ctx context.Context, feeds []string) (map[string]Record, error) {
	if err := usable(ctx); err != nil {
		return nil, err
	}
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	last := map[string]Record{}
	for _, f := range feeds {
		all := m.log.feeds[f]
		m.at[f] = len(all)
		if len(all) > 0 {
			last[f] = all[len(all)-1].clone()
		}
	}
	return last, nil
}

// Append implements [Store]. Its answer is never lost.
func (m *Memory) Append(ctx context.Context, records []Record) error {
	if err := usable(ctx); err != nil {
		return err
	}
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	others := map[string]bool{}
	for i := range records {
		if f := records[i].Feed; len(m.log.feeds[f]) != m.at[f] {
			others[f] = true
		}
	}
	if len(others) > 0 {
		return &Conflict{Feeds: slices.Sorted(maps.Keys(others))}
	}
	for i := range records {
		r := records[i].clone()
		m.log.feeds[r.Feed] = append(m.log.feeds[r.Feed], r)
		m.at[r.Feed]++
	}
	return nil
}

// clone returns a copy of the record that shares nothing that may change.
func (r Record) clone() Record {
	r.Data = slices.Clone(r.Data)
	if r.Gap != nil {
		gap := *r.Gap
		r.Gap = &gap
	}
	return r
}

// usable returns an error if ctx is nil or has ended.
func usable(ctx context.Context) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	return context.Cause(ctx)
}
