package feed_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// script returns a source that gives these messages, and ends with an error if that is
// not nil.
func script(ctx context.Context, err error, messages ...string) stream.Source {
	relay, feeder := stream.NewRelay(nil)
	for _, text := range messages {
		feeder.Put(ctx, stream.Message{Type: stream.Text, Data: []byte(text)})
	}
	feeder.End(result.Status{Code: result.StatusNormalClosure, Err: err})
	return relay
}

// busy is an error that says how long to wait.
type busy time.Duration

func (b busy) Error() string             { return "too many connections" }
func (b busy) RetryAfter() time.Duration { return time.Duration(b) }

// A server that says how long to wait is waited for: where Open fails, and where a
// source ends.
func TestRunRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const asked = time.Hour
		var opened []time.Time
		job := &feed.Job{Feeds: []string{"f"}, Store: feed.NewMemory()}
		job.Open = func(ctx context.Context, _ string, _ feed.Record) (stream.Source, error) {
			switch opened = append(opened, time.Now()); len(opened) {
			case 1:
				return nil, fmt.Errorf("refused: %w", busy(asked))
			case 2:
				return script(ctx, busy(asked)), nil
			}
			return script(ctx, nil), nil
		}
		if err := feed.Run(t.Context(), job); err != nil {
			t.Errorf("Run: %v", err)
		}
		for i := range opened[1:] {
			if waited := opened[i+1].Sub(opened[i]); waited < asked || waited > asked+30*time.Second {
				t.Errorf("wait %d is %v, want %v and up to 30 s more", i, waited, asked)
			}
		}
	})
}

// A feed that is opened many times in vain has one gap before its next record, which
// begins where the first source was lost. Nothing tells of a gap that no record follows.
func TestRunOneGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const vain = 20
		m := feed.NewMemory()
		var lost time.Time
		opens := 0
		job := &feed.Job{Feeds: []string{"f"}, Store: m}
		job.Open = func(ctx context.Context, _ string, last feed.Record) (stream.Source, error) {
			switch opens++; {
			case opens == 1:
				lost = time.Now()
				return script(ctx, fmt.Errorf("the first"), "1"), nil
			case opens < vain:
				return script(ctx, fmt.Errorf("none")), nil
			case opens == vain:
				return script(ctx, fmt.Errorf("the last"), "2"), nil
			}
			return script(ctx, nil), nil
		}
		if err := feed.Run(t.Context(), job); err != nil {
			t.Errorf("Run: %v", err)
		}
		all := m.Records("f")
		if len(all) != 3 || all[1].Gap == nil || string(all[2].Data) != "2" {
			t.Fatalf("the records are %+v, want 1, a gap and 2", all)
		}
		g := all[1].Gap
		if g.From != 1 || g.To != vain || !g.Lost.Equal(lost) || g.Attempts != vain || g.Status.Err.Error() != "the first" {
			t.Errorf("the gap is %+v", g)
		}
	})
}

// A sluggish store takes a second for each call of Last.
type sluggish struct {
	*feed.Memory
	asked atomic.Int32
	most  atomic.Int32 // feeds at a time
}

func (s *sluggish) Last(ctx context.Context, feeds []string) (map[string]feed.Record, error) {
	s.asked.Add(1)
	s.most.Store(max(s.most.Load(), int32(len(feeds))))
	time.Sleep(time.Second)
	return s.Memory.Last(ctx, feeds)
}

// Feeds whose connections break at the same time are asked for together.
func TestRunManyBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const feeds = 300
		s := &sluggish{Memory: feed.NewMemory()}
		cut, breaks := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, breaks)
		job := &feed.Job{Feeds: names("f%d", feeds), Store: s, Exact: true}
		job.Open = func(ctx context.Context, _ string, last feed.Record) (stream.Source, error) {
			if last.Feed != "" {
				return script(ctx, nil, "2"), nil
			}
			relay, feeder := stream.NewRelay(nil)
			feeder.Put(ctx, stream.Message{Type: stream.Text, Data: []byte("1")})
			context.AfterFunc(cut, func() { feeder.End(result.Status{Err: context.Cause(cut)}) })
			return relay, nil
		}
		if err := feed.Run(t.Context(), job); err != nil {
			t.Errorf("Run: %v", err)
		}
		if n := s.asked.Load(); n > 5 { // once to begin with, and while waits of up to 1 s end
			t.Errorf("Last was called %d times for %d feeds", n, feeds)
		}
		for _, f := range job.Feeds {
			if all := s.Records(f); len(all) != 2 {
				t.Fatalf("%s has %d records, want 2", f, len(all))
			}
		}
	})
}

// The last records of very many feeds are not in memory at the same time.
func TestRunClaimsInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sluggish{Memory: feed.NewMemory()}
		job := &feed.Job{Feeds: names("f%d", 2500), Store: s}
		job.Open = func(ctx context.Context, _ string, _ feed.Record) (stream.Source, error) {
			return script(ctx, nil), nil
		}
		if err := feed.Run(t.Context(), job); err != nil {
			t.Errorf("Run: %v", err)
		}
		if asked, most := s.asked.Load(), s.most.Load(); asked != 3 || most != 1000 {
			t.Errorf("Last was called %d times, for up to %d feeds", asked, most)
		}
	})
}

// Where a feed is given up, records do not linger.
func TestRunLingerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, pause: time.Second}
		m := feed.NewMemory()
		h := newHand()
		ctx, cancel := context.WithCancel(t.Context())
		var worker sync.WaitGroup
		worker.Go(func() {
			job := &feed.Job{Feeds: []string{"a", "b"}, Open: v.open, Record: record, Store: m, Crew: h, Linger: time.Hour}
			if err := feed.Run(ctx, job); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		h.give("a", "b")
		time.Sleep(time.Minute)
		start := time.Now()
		h.give("b")
		if took := time.Since(start); took > time.Second {
			t.Errorf("a feed was given up in %v", took)
		}
		if n := len(m.Records("a")); n < 50 {
			t.Errorf("%d records of it are stored", n)
		}
		cancel()
		worker.Wait()
		v.running.Wait()
	})
}

// The log names a few of the feeds that another worker writes to, however many.
func TestRunConflictLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := feed.NewMemory()
		thief := m.View()
		log, logs := logged(0)
		job := &feed.Job{Feeds: names("f%04d", 1000), Store: m, Logger: log, Exact: true}
		job.Open = func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
			if last.Feed == "" {
				thief.Append(ctx, []feed.Record{{Feed: name}})
				return script(ctx, nil, "1"), nil
			}
			return script(ctx, nil), nil
		}
		if err := feed.Run(t.Context(), job); err != nil {
			t.Errorf("Run: %v", err)
		}
		if !mentions(logs, "another worker has written to ") {
			t.Error("nothing is logged of another worker")
		}
		for _, line := range logs.All() {
			if text, _ := line.ContextMap()["error"].(string); len(text) > 200 || strings.Contains(text, "f0999") {
				t.Errorf("a line has an error of %d bytes", len(text))
			}
		}
	})
}
