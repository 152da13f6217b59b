package jetstream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A crewModel is a bucket, and workers that hear of its changes in order, each late
// in its own way.
type crewModel struct {
	t       *testing.T
	rand    *rand.Rand
	keys    map[string]string
	workers []*modelWorker
	all     []string
	now     time.Time
}

type modelWorker struct {
	roster
	news []func(*roster)
	said string
}

func (m *crewModel) put(worker, view string) {
	m.keys[worker] = view
	m.tell(func(r *roster) { r.heard(worker, view) })
}

func (m *crewModel) tell(f func(*roster)) {
	for _, w := range m.workers {
		w.news = append(w.news, f)
	}
}

func (m *crewModel) join(name string) {
	w := &modelWorker{roster: roster{me: name, all: m.all, patience: time.Hour}}
	w.reset()
	for worker, view := range m.keys {
		w.heard(worker, view)
	}
	w.known = true
	m.workers = append(m.workers, w)
	m.put(name, "")
}

// leave takes a worker out that gives up its feeds first.
func (m *crewModel) leave(at int) {
	w := m.workers[at]
	m.workers = slices.Delete(m.workers, at, at+1)
	delete(m.keys, w.me)
	m.tell(func(r *roster) { r.gone(w.me) })
}

// step lets one worker hear one piece of news, if there is any.
func (m *crewModel) step(w *modelWorker) {
	if len(w.news) > 0 {
		w.news[0](&w.roster)
		w.news = w.news[1:]
	}
	for {
		if _, changed := w.next(m.now); !changed {
			break
		}
		m.disjoint()
	}
	if w.done != w.said {
		w.said = w.done
		m.put(w.me, w.done)
	}
}

// disjoint requires that no feed has two workers.
func (m *crewModel) disjoint() {
	owner := map[string]string{}
	for _, w := range m.workers {
		for _, f := range w.held {
			if owner[f] != "" {
				m.t.Fatalf("%s has two workers, %s and %s", f, owner[f], w.me)
			}
			owner[f] = w.me
		}
	}
}

// rest lets all hear all, and requires that each feed has a worker.
func (m *crewModel) rest() {
	for busy := true; busy; {
		busy = false
		for _, w := range m.workers {
			if len(w.news) > 0 {
				m.step(w)
				busy = true
			}
		}
	}
	held := 0
	for _, w := range m.workers {
		held += len(w.held)
	}
	if len(m.workers) > 0 && held != len(m.all) {
		m.t.Fatalf("at rest %d of %d feeds have a worker", held, len(m.all))
	}
}

// Workers come and go, and hear of each other late: no feed ever has two of them,
// and when all have heard all, each has one.
func TestRoster(t *testing.T) {
	for seed := range uint64(200) {
		m := &crewModel{t: t, rand: rand.New(rand.NewPCG(seed, 1)), keys: map[string]string{}}
		for i := range 40 {
			m.all = append(m.all, fmt.Sprint("feed", i))
		}
		for n := range 400 {
			switch r := m.rand.IntN(40); {
			case r == 0 && len(m.workers) < 6:
				m.join(fmt.Sprint("worker", n))
			case r == 1 && len(m.workers) > 0:
				m.leave(m.rand.IntN(len(m.workers)))
			case len(m.workers) > 0:
				m.step(m.workers[m.rand.IntN(len(m.workers))])
			}
		}
		m.rest()
	}
}

// A worker that never says that it gave up its feeds is waited for, and no longer
// than its key may live.
func TestRosterPatience(t *testing.T) {
	r := roster{me: "a", all: []string{"1", "2", "3", "4"}, patience: time.Minute}
	r.reset()
	r.heard("a", "")
	r.heard("b", "")
	start := time.Unix(0, 0)
	if list, changed := r.next(start); changed {
		t.Fatalf("it has %v before the watch has told all", list)
	}
	r.known = true
	if list, changed := r.next(start); changed {
		t.Fatalf("it has %v before the other gave up its own", list)
	}
	if list, changed := r.next(start.Add(time.Minute - 1)); changed {
		t.Fatalf("it has %v before its patience ended", list)
	}
	list, changed := r.next(start.Add(time.Minute))
	if want := both(r.all, list); !changed || len(list) == 0 || len(list) == len(r.all) || !slices.Equal(list, want) {
		t.Fatalf("after its patience ended it has %v (changed: %t)", list, changed)
	}
}

// A worker whose own key has expired gives up everything, and comes again as a
// newcomer does.
func TestRosterExpired(t *testing.T) {
	r := roster{me: "a", all: []string{"1", "2"}, patience: time.Minute}
	r.reset()
	r.heard("a", "")
	r.known = true
	if list, changed := r.next(time.Unix(0, 0)); !changed || len(list) != 2 {
		t.Fatalf("alone it has %v (changed: %t)", list, changed)
	}
	r.gone("a")
	if list, changed := r.next(time.Unix(1, 0)); !changed || len(list) != 0 {
		t.Fatalf("without a key it has %v (changed: %t)", list, changed)
	}
	r.heard("b", "")
	r.heard("a", r.done)
	if list, changed := r.next(time.Unix(2, 0)); changed {
		t.Fatalf("it has %v before the other gave up its own", list)
	}
}
