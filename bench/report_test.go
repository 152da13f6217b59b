package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

// measured returns a report of one workload with one sample a library.
func measured(w workload, values map[*library]sample) *report {
	r := &report{}
	for l, s := range values {
		r.add(job{Workload: w, Library: l.name, Kind: l.kind}, s)
	}
	return r
}

// For speed the best peer is the fastest, for memory the smallest.
func TestBestPeer(t *testing.T) {
	speed := measured(workload{Name: "w", Operation: opReceive}, map[*library]sample{
		coderLibrary: {Rate: 10}, gwsLibrary: {Rate: 20}, gwsTuned: {Rate: 40}, bare: {Rate: 99}, wsflowAll: {Rate: 80},
	})
	speed.conclude()
	c := speed.Results[0]
	if c.BestPeer != gwsLibrary.name || c.BestTuned != gwsTuned.name {
		t.Errorf("the best are %s and %s", c.BestPeer, c.BestTuned)
	}
	if e := c.entry(wsflowAll.name); e.OfBestPeer != 4 || e.OfBestTuned != 2 {
		t.Errorf("80 is %v of 20 and %v of 40", e.OfBestPeer, e.OfBestTuned)
	}
	memory := measured(workload{Name: "w", Operation: opHold}, map[*library]sample{
		coderLibrary: {Memory: 10}, gwsLibrary: {Memory: 20}, bare: {Memory: 1},
	})
	memory.conclude()
	if best := memory.Results[0].BestPeer; best != coderLibrary.name {
		t.Errorf("the best is %s", best)
	}
}

// Every goal names a workload and a library that takes part in it.
func TestGoalsAreMeasured(t *testing.T) {
	for _, g := range goals() {
		w := workload{Name: g.Workload}
		if l, err := w.find(g.Library); err != nil || l.kind != ours {
			t.Errorf("%v: %v", g, err)
		}
		if g.Against == "" || g.Against == bestPeer {
			continue
		}
		if _, err := w.find(g.Against); err != nil {
			t.Errorf("%v: %v", g, err)
		}
	}
}

func TestVerdict(t *testing.T) {
	r := measured(workload{Name: "w", Operation: opReceive}, map[*library]sample{
		gwsLibrary: {Rate: 20, Wire: 100}, gwsTuned: {Rate: 40, Wire: 100}, bare: {Rate: 99}, wsflowAll: {Rate: 80, Wire: 105},
	})
	r.conclude()
	for _, c := range []struct {
		goal goal
		want verdict
	}{
		{goal{"w", wsflowAll.name, figureRate, 4, bestPeer}, verdict{Reached: 4, OfTuned: 2, Yes: true}},
		{goal{"w", wsflowAll.name, figureRate, 4.1, bestPeer}, verdict{Reached: 4, OfTuned: 2}},
		{goal{"w", wsflowAll.name, figureRate, 2, gwsTuned.name}, verdict{Reached: 2, Yes: true}},
		{goal{"w", wsflowAll.name, figureWire, 1.05, bestPeer}, verdict{Reached: 1.05, OfTuned: 1.05, Yes: true}},
		{goal{"w", wsflowAll.name, figureWire, 104, ""}, verdict{Reached: 105}},
		{goal{"w", wsflowAll.name, figureWire, 105, ""}, verdict{Reached: 105, Yes: true}},
	} {
		got := r.Results[0].judge(c.goal)
		c.want.Goal = c.goal.String()
		if got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
	if all := r.judge([]goal{{Workload: "not measured"}}); all != nil {
		t.Errorf("judged %v", all)
	}
}

// Measurements of one round take turns between the libraries of a workload.
func TestJobsTakeTurns(t *testing.T) {
	p := plan{Rounds: 2, Connections: 40, match: regexp.MustCompile("^(echo|idle)/"), among: regexp.MustCompile("")}
	var order []string
	for _, j := range p.jobs(address{}, address{}, nil) {
		order = append(order, j.Workload.Name+" "+j.Library)
	}
	text := strings.Join(order, "\n")
	if n := strings.Count(text, "echo/64B coder"); n != 2 {
		t.Errorf("echo is measured %d times in 2 rounds", n)
	}
	if n := strings.Count(text, "idle/tcp coder"); n != 1 {
		t.Errorf("memory is measured %d times", n)
	}
	if !strings.Contains(text, "echo/64B coder\necho/64B gorilla\n") {
		t.Errorf("libraries do not take turns:\n%s", text)
	}
}
