package mux

import (
	"cmp"
	"container/list"
	"slices"
	"time"
)

// A reconciler knows which topics are desired, and which of them the server
// knows of on the present connection. The difference is what there is to send.
// It does no I/O, takes no lock and reads no clock.
type reconciler[K comparable] struct {
	linger  time.Duration // how long a topic stays known that nobody desires
	forever bool          // it stays known until the connection ends
	all     map[K]*desire // what is desired, or known
	missing map[K]*desire // what is desired and not known
	idle    *list.List    // the keys of what is known and not desired, the oldest first
	count   uint64        // of desires so far
}

// A desire is what a reconciler knows of one topic.
type desire struct {
	number uint64 // topics are subscribed to in the order in which they came
	takers int
	known  bool
	idle   *list.Element // nil while there are takers
	since  time.Time     // when the last taker went
}

func newReconciler[K comparable](linger time.Duration, forever bool) *reconciler[K] {
	return &reconciler[K]{
		linger: linger, forever: forever,
		all: map[K]*desire{}, missing: map[K]*desire{}, idle: list.New(),
	}
}

// take notes that a topic has one more taker.
func (r *reconciler[K]) take(key K) {
	d := r.all[key]
	if d == nil {
		r.count++
		d = &desire{number: r.count}
		r.all[key], r.missing[key] = d, d
	}
	d.takers++
	r.wake(d)
}

// release notes that a topic has one taker less.
func (r *reconciler[K]) release(key K, now time.Time) {
	d := r.all[key]
	d.takers--
	switch {
	case d.takers > 0:
	case !d.known:
		r.forget(key)
	case !r.forever:
		d.idle, d.since = r.idle.PushBack(key), now
	}
}

// forget drops what is known of a topic, and its takers.
func (r *reconciler[K]) forget(key K) {
	if d := r.all[key]; d != nil {
		r.wake(d)
		delete(r.all, key)
		delete(r.missing, key)
	}
}

// knows reports that the server knows of a topic.
func (r *reconciler[K]) knows(key K) bool {
	d := r.all[key]
	return d != nil && d.known
}

// wake takes a topic from the list of the idle ones.
func (r *reconciler[K]) wake(d *desire) {
	if d.idle != nil {
		r.idle.Remove(d.idle)
		d.idle = nil
	}
}

// reset notes that there is a new connection, on which the server knows of
// nothing.
func (r *reconciler[K]) reset() {
	for key, d := range r.all {
		if d.known = false; d.takers > 0 {
			r.missing[key] = d
		} else {
			r.forget(key)
		}
	}
}

// differs reports whether there is anything to send now. If not, next is when
// there will be, as a topic is idle; it is zero if none is.
func (r *reconciler[K]) differs(now time.Time) (yes bool, next time.Time) {
	if e := r.idle.Front(); e != nil {
		next = r.all[e.Value.(K)].since.Add(r.linger)
	}
	if len(r.missing) > 0 || !next.IsZero() && !now.Before(next) {
		return true, time.Time{}
	}
	return false, next
}

// difference returns the topics to be subscribed to and those to be unsubscribed
// from. What it returns counts as sent.
func (r *reconciler[K]) difference(now time.Time) (subscribe, unsubscribe []K) {
	for e := r.idle.Front(); e != nil; e = r.idle.Front() {
		key := e.Value.(K)
		if now.Before(r.all[key].since.Add(r.linger)) {
			break
		}
		r.forget(key)
		unsubscribe = append(unsubscribe, key)
	}
	for key, d := range r.missing {
		d.known = true
		subscribe = append(subscribe, key)
	}
	clear(r.missing)
	slices.SortFunc(subscribe, func(a, b K) int { return cmp.Compare(r.all[a].number, r.all[b].number) })
	return subscribe, unsubscribe
}
