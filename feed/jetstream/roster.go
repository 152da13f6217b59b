package jetstream

import (
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/wsflow/wsflow/feed"
)

// A roster is what a worker knows of its crew: who is there, and which feeds are its
// own. It does no I/O and reads no clock.
//
// The workers that are there make a view. Each worker gives up the feeds that are
// another's in the view, and then says that it has. When all have said it, nobody
// has a feed of another, and each takes what is its own.
type roster struct {
	me       string
	all      []string      // feeds
	patience time.Duration // how long the others are waited for

	known   bool              // the watch has told of all workers
	workers map[string]string // by name: the view for which it has given up what is not its own
	view    string            // that is being worked on
	since   time.Time         // when it began
	held    []string          // the feeds that this worker has
	done    string            // the view for which this worker has given up what is not its own
}

// reset forgets the workers, of whom a new watch will tell.
func (r *roster) reset() { r.known, r.workers = false, map[string]string{} }

func (r *roster) heard(worker, view string) { r.workers[worker] = view }

func (r *roster) gone(worker string) { delete(r.workers, worker) }

// next returns the feeds that the worker is to have now, if that is another list
// than it has. It is to be called again after the worker has done so.
func (r *roster) next(now time.Time) (list []string, changed bool) {
	if !r.known {
		return nil, false
	}
	names := slices.Sorted(maps.Keys(r.workers))
	if view := viewOf(names); view != r.view {
		r.view, r.since = view, now
	}
	share := feed.Share(r.me, names, r.all)
	keep := both(r.held, share)
	if len(keep) < len(r.held) {
		r.held = keep
		return keep, true
	}
	r.done = r.view
	if len(share) == len(r.held) || !r.agreed() && now.Sub(r.since) < r.patience {
		return nil, false
	}
	r.held = share
	return share, true
}

// agreed reports that all others have given up what is not theirs.
func (r *roster) agreed() bool {
	for name, view := range r.workers {
		if name != r.me && view != r.view {
			return false
		}
	}
	return true
}

// both returns what is in either list.
func both(list, other []string) []string {
	in := make(map[string]bool, len(other))
	for _, f := range other {
		in[f] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(f string) bool { return !in[f] })
}

// viewOf returns a short name for a view.
func viewOf(names []string) string {
	h := fnv.New64a()
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
