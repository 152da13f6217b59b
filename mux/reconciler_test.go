package mux

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var start = time.Unix(1_000_000_000, 0)

func wantDifference(t *testing.T, r *reconciler[string], at time.Duration, subscribe, unsubscribe []string, next time.Duration) {
	t.Helper()
	now := start.Add(at)
	differs, _ := r.differs(now)
	s, u := r.difference(now)
	if some := len(s)+len(u) > 0; differs != some {
		t.Fatalf("at %v it differs: %t, and there is something to send: %t", at, differs, some)
	}
	_, n := r.differs(now)
	var due time.Time
	if next != 0 {
		due = start.Add(next)
	}
	if !slices.Equal(s, subscribe) || !slices.Equal(u, unsubscribe) || !n.Equal(due) {
		t.Fatalf("at %v it is %q, %q, next %v; want %q, %q, %v", at, s, u, n, subscribe, unsubscribe, due)
	}
}

func TestReconcilerCountsTakers(t *testing.T) {
	r := newReconciler[string](0, false)
	r.take("b")
	r.take("a")
	r.take("b")
	wantDifference(t, r, 0, []string{"b", "a"}, nil, 0)
	r.take("a")
	r.release("b", start)
	r.release("a", start)
	wantDifference(t, r, 0, nil, nil, 0)
	r.release("b", start)
	wantDifference(t, r, 0, nil, []string{"b"}, 0)
	wantDifference(t, r, 0, nil, nil, 0)
	r.release("a", start)
	r.take("a")
	wantDifference(t, r, 0, nil, nil, 0)
}

// A topic whose taker goes before it was subscribed to is never heard of.
func TestReconcilerForgetsInTime(t *testing.T) {
	r := newReconciler[string](0, false)
	r.take("a")
	r.release("a", start)
	wantDifference(t, r, 0, nil, nil, 0)
	if len(r.all)+len(r.missing) > 0 {
		t.Error("it is still remembered")
	}
}

func TestReconcilerAfterReset(t *testing.T) {
	r := newReconciler[string](0, false)
	for _, key := range []string{"c", "a", "b"} {
		r.take(key)
	}
	r.difference(start)
	r.release("a", start) // the new connection has never heard of it
	r.reset()
	wantDifference(t, r, 0, []string{"c", "b"}, nil, 0)
	r.reset()
	r.reset()
	wantDifference(t, r, 0, []string{"c", "b"}, nil, 0)
}

func TestReconcilerLingers(t *testing.T) {
	r := newReconciler[string](5*time.Second, false)
	r.take("a")
	r.take("b")
	r.difference(start)
	r.release("a", start)
	r.release("b", start.Add(1*time.Second))
	wantDifference(t, r, 2*time.Second, nil, nil, 5*time.Second)
	r.take("a")
	wantDifference(t, r, 5*time.Second, nil, nil, 6*time.Second)
	r.release("a", start.Add(5*time.Second))
	wantDifference(t, r, 6*time.Second, nil, []string{"b"}, 10*time.Second)
	r.reset()
	wantDifference(t, r, 7*time.Second, nil, nil, 0)
}

// Where nothing is ever unsubscribed from, a topic is subscribed to once a
// connection.
func TestReconcilerForever(t *testing.T) {
	r := newReconciler[string](0, true)
	r.take("a")
	r.difference(start)
	r.release("a", start)
	wantDifference(t, r, 0, nil, nil, 0)
	r.take("a")
	wantDifference(t, r, 0, nil, nil, 0)
	r.release("a", start)
	r.reset()
	wantDifference(t, r, 0, nil, nil, 0)
	r.take("a")
	wantDifference(t, r, 0, []string{"a"}, nil, 0)
}

func TestReconcilerForgetsWhatFailed(t *testing.T) {
	r := newReconciler[string](time.Second, false)
	r.take("a")
	r.difference(start)
	r.forget("a")
	r.forget("a")
	wantDifference(t, r, 0, nil, nil, 0)
	r.take("a")
	wantDifference(t, r, 0, []string{"a"}, nil, 0)
	r.release("a", start)
	r.forget("a") // while it is idle
	wantDifference(t, r, time.Second, nil, nil, 0)
}

// A modelServer is what the server knows on one connection. It is strict.
type modelServer struct {
	t     *testing.T
	knows map[int]bool
}

func (s *modelServer) subscribe(key int) {
	if s.knows[key] {
		s.t.Fatalf("topic %d is subscribed to twice", key)
	}
	s.knows[key] = true
}

func (s *modelServer) unsubscribe(key int) {
	if !s.knows[key] {
		s.t.Fatalf("topic %d was never subscribed to on this connection", key)
	}
	delete(s.knows, key)
}

// A modelWorld is a reconciler, a server, and what is true of both.
type modelWorld struct {
	*modelServer
	r      *reconciler[int]
	random *rand.Rand
	now    time.Time
	takers map[int]int
	left   map[int]time.Time // when the last taker of a topic went
}

const modelKeys = 12

// exchange sends the difference. The connection may break at each topic: what
// comes behind is lost, and there is a new connection.
func (w *modelWorld) exchange(breaks bool) (next time.Time) {
	subscribe, unsubscribe := w.r.difference(w.now)
	for _, key := range unsubscribe {
		w.unsubscribe(key)
	}
	for _, key := range subscribe {
		if breaks && w.random.IntN(5) == 0 {
			w.knows = map[int]bool{}
			w.r.reset()
			return time.Time{}
		}
		w.subscribe(key)
	}
	_, next = w.r.differs(w.now)
	return next
}

func (w *modelWorld) step() {
	switch key := w.random.IntN(modelKeys); w.random.IntN(6) {
	case 0, 1:
		w.takers[key]++
		w.r.take(key)
	case 2, 3:
		if w.takers[key] == 0 {
			return
		}
		if w.takers[key]--; w.takers[key] == 0 {
			w.left[key] = w.now
		}
		w.r.release(key, w.now)
	case 4:
		w.now = w.now.Add(time.Duration(w.random.IntN(1000)) * time.Millisecond)
	case 5:
		if w.exchange(true); w.random.IntN(10) == 0 {
			w.knows = map[int]bool{}
			w.r.reset()
		}
	}
}

// check compares what the server knows with what it should, once all was sent.
func (w *modelWorld) check() {
	w.exchange(false)
	for key := range modelKeys {
		lingers := w.now.Before(w.left[key].Add(w.r.linger)) && w.knows[key]
		if desired := w.takers[key] > 0; w.knows[key] != desired && !lingers {
			w.t.Fatalf("topic %d has %d takers, and the server knows of it: %t", key, w.takers[key], w.knows[key])
		}
	}
	if w.r.idle.Len() > modelKeys || len(w.r.all) > modelKeys {
		w.t.Fatalf("it remembers %d topics, %d of them idle, of %d", len(w.r.all), w.r.idle.Len(), modelKeys)
	}
}

// Whatever happens in whatever order, the server ends up with the topics that
// have takers, and is told of none that it does not know.
func TestReconcilerAgainstAServer(t *testing.T) {
	for seed := range uint64(200) {
		w := &modelWorld{
			modelServer: &modelServer{t: t, knows: map[int]bool{}},
			random:      rand.New(rand.NewPCG(seed, 0)),
			now:         start, takers: map[int]int{}, left: map[int]time.Time{},
		}
		w.r = newReconciler[int](time.Duration(seed%3)*time.Second, false)
		for range 30 {
			for range 20 {
				w.step()
			}
			w.check()
		}
		for next := w.exchange(false); !next.IsZero(); next = w.exchange(false) {
			if !next.After(w.now) {
				t.Fatalf("seed %d: the next change was due at %v, it is %v", seed, next, w.now)
			}
			w.now = next
		}
		for key := range modelKeys {
			if w.knows[key] != (w.takers[key] > 0) {
				t.Fatalf("seed %d: at rest topic %d has %d takers, and the server knows of it: %t", seed, key, w.takers[key], w.knows[key])
			}
		}
	}
}
