package main

import (
	"testing"

	"gonum.org/v1/plot/vg"
)

// Panels of a sheet, and the bars of a panel, can be told apart.
func TestTitlesAreUnique(t *testing.T) {
	titles := map[string]string{}
	for _, w := range workloads() {
		c := &comparison{Workload: w.Name, Title: w.title(), Connections: w.Connections, figure: w.figure()}
		for _, s := range sheets {
			for _, f := range s.figures {
				if !s.shows(c, f) {
					continue
				}
				title := s.file + ": " + panel{c, f}.title()
				if other, taken := titles[title]; taken {
					t.Errorf("%s and %s are both called %q", other, w.Name, title)
				}
				titles[title] = w.Name
			}
		}
		labels := map[string]bool{}
		for _, l := range w.among {
			labels[job{Library: l.name}.label()] = true
		}
		if len(labels) != len(w.among) {
			t.Errorf("%s: %d libraries have the names %v", w.Name, len(w.among), labels)
		}
	}
}

// No column ends more than a panel before the longest.
func TestArrange(t *testing.T) {
	var panels []panel
	for n := range 10 {
		panels = append(panels, panel{of: &comparison{Entries: make([]*entry, 12-n)}})
	}
	places, cols, height := arrange(panels)
	ends := make([]vg.Length, cols)
	for i, p := range places {
		if p.top != ends[p.column] {
			t.Errorf("panel %d begins at %v of a column that is filled up to %v", i, p.top, ends[p.column])
		}
		ends[p.column] += panels[i].height()
	}
	for i, end := range ends {
		if end > height || end < height-panels[0].height() {
			t.Errorf("column %d ends at %v of %v", i, end, height)
		}
	}
}
