package storetest_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/feed/storetest"
)

// A faulty store is a good one but for one fault.
type faulty struct {
	*feed.Memory
	fault string
	lose  bool          // the answer to the next Append
	done  []feed.Record // what was stored without an answer
}

func (s *faulty) Last(ctx context.Context, feeds []string) (map[string]feed.Record, error) {
	s.done = nil
	found, err := s.Memory.Last(ctx, feeds)
	switch s.fault {
	case "tells of 1,024 feeds at most":
		for _, f := range feeds[min(len(feeds), 1024):] {
			delete(found, f)
		}
	case "tells of a former record":
		for f := range found {
			if all := s.Records(f); len(all) > 2 {
				found[f] = all[len(all)-2]
			}
		}
	}
	return found, err
}

func (s *faulty) Append(ctx context.Context, records []feed.Record) error {
	records = slices.Clone(records)
	switch s.fault {
	case "writes behind anything":
		s.Memory.Last(ctx, feedsOf(records))
	case "turns the order round":
		slices.Reverse(records)
	case "forgets cursors", "forgets gaps", "forgets data":
		for i := range records {
			s.forget(&records[i])
		}
	case "takes ended contexts":
		ctx = context.WithoutCancel(ctx)
	}
	if s.done != nil && s.fault != "stores what is repeated" {
		s.done = nil
		return nil
	}
	err := s.Memory.Append(ctx, records)
	var c *feed.Conflict
	switch {
	case errors.As(err, &c):
		return s.conflict(ctx, c, records)
	case err == nil && s.lose:
		s.lose, s.done = false, records
		return errors.New("no answer")
	}
	return err
}

func (s *faulty) forget(r *feed.Record) {
	switch s.fault {
	case "forgets cursors":
		r.Cursor = ""
	case "forgets gaps":
		r.Gap = nil
	case "forgets data":
		r.Data = nil
	}
}

func (s *faulty) conflict(ctx context.Context, c *feed.Conflict, records []feed.Record) error {
	switch s.fault {
	case "names one feed of a conflict":
		c.Feeds = c.Feeds[:1]
	case "stores the rest of a conflict":
		s.Memory.Append(ctx, slices.DeleteFunc(records, func(r feed.Record) bool { return slices.Contains(c.Feeds, r.Feed) }))
	case "hides conflicts":
		return errors.New("something is wrong")
	}
	return c
}

func feedsOf(records []feed.Record) []string {
	all := map[string]bool{}
	for _, r := range records {
		all[r.Feed] = true
	}
	return slices.Sorted(maps.Keys(all))
}

const variable = "WSFLOW_TEST_FAULT"

// TestFault runs the kit over the store with the fault that the environment names.
func TestFault(t *testing.T) {
	fault, set := os.LookupEnv(variable)
	if !set {
		t.Skip("it is run by TestKit")
	}
	storetest.Run(t, func(t *testing.T) storetest.Arrangement {
		m := feed.NewMemory()
		return storetest.Arrangement{
			Open: func() feed.Store { return &faulty{Memory: m.View(), fault: fault} },
			Read: m.Records,
			Lose: func(s feed.Store) { s.(*faulty).lose = true },
		}
	})
}

// The kit finds each fault, by one of the tests that are for it, and no fault in a
// store that has none.
func TestKit(t *testing.T) {
	for fault, by := range map[string]string{
		"":                              "",
		"tells of 1,024 feeds at most":  "many_feeds",
		"tells of a former record":      "the_last_record",
		"writes behind anything":        "a_conflict_stores_nothing",
		"turns the order round":         "the_order",
		"forgets cursors":               "all_fields",
		"forgets gaps":                  "all_fields",
		"forgets data":                  "all_fields",
		"takes ended contexts":          "a_context_that_has_ended",
		"stores what is repeated":       "an_answer_that_is_lost",
		"names one feed of a conflict":  "a_conflict_stores_nothing",
		"stores the rest of a conflict": "a_conflict_stores_nothing",
		"hides conflicts":               "a_conflict_stores_nothing",
	} {
		t.Run(fault, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFault$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), variable+"="+fault)
			out, err := cmd.CombinedOutput()
			switch found := strings.Contains(string(out), "--- FAIL: TestFault/"+by+" "); {
			case fault == "" && err != nil:
				t.Errorf("the kit finds a fault in a good store:\n%s", out)
			case fault != "" && (err == nil || !found):
				t.Errorf("the kit does not find it by %s:\n%s", by, out)
			}
		})
	}
}
