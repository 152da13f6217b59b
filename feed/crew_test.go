package feed_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/feed"
)

func names(format string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

// owners returns who has which feed, and fails if one has two workers or none.
func owners(t *testing.T, workers, all []string) map[string]string {
	t.Helper()
	owner := map[string]string{}
	for _, w := range workers {
		for _, f := range feed.Share(w, workers, all) {
			if owner[f] != "" {
				t.Fatalf("%s is shared by %s and %s", f, owner[f], w)
			}
			owner[f] = w
		}
	}
	if len(owner) != len(all) {
		t.Fatalf("%d of %d feeds have a worker", len(owner), len(all))
	}
	return owner
}

// Each feed has one worker, each worker about as many feeds as the others, and
// feeds move only to a worker that came, or from one that has gone.
func TestShare(t *testing.T) {
	all := names("wss://feed.example/trades/%d", 3000)
	for n := 1; n <= 9; n++ {
		workers := names("worker-%d", n)
		before := owners(t, workers, all)
		count := map[string]int{}
		for _, w := range before {
			count[w]++
		}
		fair := len(all) / n
		for w, c := range count {
			if c < fair*3/4 || c > fair*5/4 {
				t.Errorf("of %d workers %s has %d feeds, want about %d", n, w, c, fair)
			}
		}
		after := owners(t, append(workers, "newcomer"), all)
		for f, w := range after {
			if w != before[f] && w != "newcomer" {
				t.Fatalf("%s moved from %s to %s when another worker came", f, before[f], w)
			}
		}
	}
}

// All workers get the same answer, in whatever order they know each other; feeds
// keep their order.
func TestShareOrder(t *testing.T) {
	all, workers := names("%d", 100), names("w%d", 5)
	want := owners(t, workers, all)
	slices.Reverse(workers)
	if got := owners(t, workers, all); !maps.Equal(got, want) {
		t.Error("the order of the workers matters")
	}
	mine := feed.Share("w3", workers, all)
	kept := slices.DeleteFunc(slices.Clone(all), func(f string) bool { return want[f] != "w3" })
	if !slices.Equal(mine, kept) {
		t.Errorf("the share is %v, want %v", mine, kept)
	}
	if got := feed.Share("stranger", workers, all); len(got) != 0 {
		t.Errorf("a stranger has %v", got)
	}
	if got := feed.Share("w1", nil, all); len(got) != 0 {
		t.Errorf("without workers one has %v", got)
	}
}

// The shares are the same in each version of the library: workers of two versions
// work beside each other while one replaces the other.
func TestShareStays(t *testing.T) {
	got := feed.Share("b", []string{"a", "b", "c"}, names("feed-%d", 12))
	if want := []string{"feed-1", "feed-2", "feed-5", "feed-6", "feed-7", "feed-10"}; !slices.Equal(got, want) {
		t.Errorf("b has %q, want %q", got, want)
	}
}
