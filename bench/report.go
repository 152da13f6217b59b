package main

import (
	"encoding/json"
	"fmt"
	"io"
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
	Workload  string   `json:"workload"`
	BestPeer  string   `json:"bestPeer"`  // a baseline, where there is no peer
	BestTuned string   `json:"bestTuned"` // of the peers and the tuned peers
	Entries   []*entry `json:"libraries"`

	figure figure // what the workload is about
}

// An entry is one library in a comparison.
type entry struct {
	Library     string   `json:"library"`
	Kind        kind     `json:"kind"`
	Median      sample   `json:"median"`
	OfBestPeer  float64  `json:"ofBestPeer"`
	OfBestTuned float64  `json:"ofBestTuned"`
	Samples     []sample `json:"samples"`
}

// value returns the median of a figure.
func (e *entry) value(f figure) float64 { return *f.in(&e.Median) }

// add notes what a job found.
func (r *report) add(j job, found sample) {
	c := r.result(j.Workload.Name)
	if c == nil {
		c = &comparison{Workload: j.Workload.Name, figure: j.Workload.figure()}
		r.Results = append(r.Results, c)
	}
	e := c.entry(j.Library)
	if e == nil {
		e = &entry{Library: j.Library, Kind: j.Kind}
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
		best, tunedToo := c.best(c.figure, peer, baseline), c.best(c.figure, peer, baseline, tuned)
		c.BestPeer, c.BestTuned = best.Library, tunedToo.Library
		for _, e := range c.Entries {
			e.OfBestPeer = e.value(c.figure) / best.value(c.figure)
			e.OfBestTuned = e.value(c.figure) / tunedToo.value(c.figure)
		}
	}
	r.Goals = r.judge(goals())
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

// print writes the medians and the verdicts for a reader.
func (r *report) print(w io.Writer) {
	for _, c := range r.Results {
		fmt.Fprintf(w, "\n%s\n", c.Workload)
		for _, e := range c.Entries {
			fmt.Fprintf(w, "  %-24s %s  %6.2f of %s", e.Library, e.Median, e.OfBestPeer, c.BestPeer)
			if c.BestTuned != c.BestPeer {
				fmt.Fprintf(w, ", %.2f of %s", e.OfBestTuned, c.BestTuned)
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintf(w, "\n%s\n%s\n\nGoals\n", r.Machine, r.Command)
	for _, v := range r.Goals {
		fmt.Fprintln(w, v)
	}
}
