package fanin

// A window remembers the last keys that came, up to a number of them.
type window struct {
	most int
	ring []uint64 // in the order in which they came
	next int      // where the oldest one stands, once there are most of them
	seen map[uint64]struct{}
}

func newWindow(most int) *window {
	return &window{most: most, seen: map[uint64]struct{}{}}
}

// add remembers a key, in the place of the oldest one where there are most of
// them. It returns false for a key that is remembered already.
func (w *window) add(key uint64) bool {
	if _, ok := w.seen[key]; ok {
		return false
	}
	w.seen[key] = struct{}{}
	if len(w.ring) < w.most {
		w.ring = append(w.ring, key)
		return true
	}
	delete(w.seen, w.ring[w.next])
	w.ring[w.next] = key
	w.next = (w.next + 1) % w.most
	return true
}
