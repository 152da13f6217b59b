package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
)

// A report is what results.json holds.
type report struct {
	Machine machine       `json:"machine"`
	Command string        `json:"command"`
	Results []*comparison `json:"results"`
	Goals   []verdict     `json:"goals"`
}

// A comparison is one workload's comparison. The best are those with the most
// messages a second, or the least memory.
type comparison struct {
	Workload    string   `json:"workload"`
	Title       string   `json:"title"`                 // the same for people
	Connections int      `json:"connections,omitempty"` // where there are many
	BestPeer    string   `json:"bestPeer"`              // a baseline, where there is no peer; empty: none was measured
	BestTuned   string   `json:"bestTuned"`             // of the peers and the tuned peers
	Entries     []*entry `json:"libraries"`

	figure figure // what the workload is about
}

// An entry is one library in a comparison.
type entry struct {
	Library     string   `json:"library"`
	Label       string   `json:"label"` // the same for people
	Kind        kind     `json:"kind"`
	Median      sample   `json:"median"`
	OfBestPeer  float64  `json:"ofBestPeer"`
	OfBestTuned float64  `json:"ofBestTuned"`
	OfBefore    float64  `json:"ofBefore,omitempty"` // of the same in another checkout
	Samples     []sample `json:"samples"`
}

// value returns the median of a figure.
func (e *entry) value(f figure) float64 { return *f.in(&e.Median) }

// add notes what a job found.
func (r *report) add(j job, found sample) {
	c := r.result(j.Workload.Name)
	if c == nil {
		w := j.Workload
		if w.Operation == opHold || w.Operation == opFleet {
			w.Connections = j.Connections
		}
		c = &comparison{Workload: w.Name, Title: w.title(), Connections: w.Connections, figure: w.figure()}
		r.Results = append(r.Results, c)
	}
	e := c.entry(j.name())
	if e == nil {
		e = &entry{Library: j.name(), Label: j.label(), Kind: j.Kind}
		c.Entries = append(c.Entries, e)
	}
	e.Samples = append(e.Samples, found)
}

// result returns a workload's comparison, nil if it was not measured.
func (r *report) result(name string) *comparison {
	i := slices.IndexFunc(r.Results, func(c *comparison) bool { return c.Workload == name })
	if i < 0 {
		return nil
	}
	return r.Results[i]
}

// entry returns a library's part, nil if it has none.
func (c *comparison) entry(name string) *entry {
	i := slices.IndexFunc(c.Entries, func(e *entry) bool { return e.Library == name })
	if i < 0 {
		return nil
	}
	return c.Entries[i]
}

// best returns the entry of these kinds that does best, nil if there is none.
func (c *comparison) best(f figure, kinds ...kind) *entry {
	var best *entry
	for _, e := range c.Entries {
		if slices.Contains(kinds, e.Kind) && (best == nil || f.better(e.value(f), best.value(f))) {
			best = e
		}
	}
	return best
}

// conclude computes medians, ratios and verdicts once every sample is there.
func (r *report) conclude() {
	for _, c := range r.Results {
		for _, e := range c.Entries {
			e.Median = medians(e.Samples)
		}
		if best := c.best(c.figure, peer, baseline); best != nil {
			c.BestPeer = best.Library
		}
		if best := c.best(c.figure, peer, baseline, tuned); best != nil {
			c.BestTuned = best.Library
		}
		for _, e := range c.Entries {
			e.OfBestPeer = c.ratio(e, c.BestPeer)
			e.OfBestTuned = c.ratio(e, c.BestTuned)
			e.OfBefore = c.ratio(e, nameBefore(e.Library))
		}
	}
	r.Goals = r.judge(append(goals(), r.regressions()...))
}

// ratio returns an entry's value in terms of another's; 0 if that was not
// measured, or is too small to be.
func (c *comparison) ratio(e *entry, other string) float64 {
	o := c.entry(other)
	if o == nil {
		return 0
	}
	return per(e.value(c.figure), o.value(c.figure))
}

// per returns a/b; 0 if b is none that could be measured: the memory of few
// connections may be less than what else the process gave back.
func per(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}

// write writes results.json and the charts.
func (r *report) write(folder string, dotsPerInch int) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "results.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return r.draw(folder, dotsPerInch)
}
