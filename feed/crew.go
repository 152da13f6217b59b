package feed

import (
	"context"
	"hash/fnv"
	"iter"
	"math/bits"
)

// A Crew shares feeds among workers.
type Crew interface {
	// Mine yields the feeds of all that are this worker's, each time they change,
	// until ctx ends. While the body of the loop runs the worker gives up the feeds
	// that are no longer in the list: when it returns, they are closed and what
	// came of them is stored, so that another worker may go on with them.
	//
	// An error says why it is not known at present which feeds are this worker's;
	// the loop goes on, and the worker keeps those that it has. They may be
	// another's as well by then: a Crew only saves work, and the Store decides.
	Mine(ctx context.Context, all []string) iter.Seq2[[]string, error]
}

// Share returns the feeds of all that are the worker's among the workers, in the
// order of all. Each feed has one worker, which each of them works out alike; when
// workers come or go, only the feeds that they get or had move (rendezvous
// hashing). The order of workers does not matter. A worker that is not among them
// has no feeds.
func Share(worker string, workers, all []string) []string {
	keys := make([]uint64, len(workers))
	for i, w := range workers {
		keys[i] = key(w)
	}
	var mine []string
	for _, f := range all {
		if owner(key(f), workers, keys) == worker {
			mine = append(mine, f)
		}
	}
	return mine
}

// owner returns the worker whose score for the feed is the highest.
func owner(feed uint64, workers []string, keys []uint64) (best string) {
	var most uint64
	for i, w := range workers {
		score := mix(feed ^ bits.RotateLeft64(keys[i], 32))
		if i == 0 || score > most || score == most && w < best {
			best, most = w, score
		}
	}
	return best
}

func key(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return mix(h.Sum64())
}

// mix spreads each bit over all, as MurmurHash3's finalizer does.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// alone is a worker without others.
type alone struct{}

func (alone) Mine(ctx context.Context, all []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if yield(all, nil) {
			<-ctx.Done()
			yield(nil, nil)
		}
	}
}
