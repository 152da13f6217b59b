package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// noWorse is how much of what wsflow did before it is to reach at the least.
const noWorse = 0.97

// An earlier is this program as another checkout of the repository has it, which
// measures the wsflow of that checkout. Nil is none.
type earlier struct {
	folder string
	path   string              // of the program
	takes  map[string][]string // its ways to use wsflow, by workload
}

// buildEarlier builds the program of a checkout. Only remove takes it away.
func buildEarlier(ctx context.Context, checkout string) (e *earlier, err error) {
	folder, err := os.MkdirTemp("", "wsflow-bench")
	if err != nil {
		return nil, err
	}
	e = &earlier{folder: folder, path: filepath.Join(folder, "before.exe")}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("bench: -against %s: %w", checkout, err), e.remove())
		}
	}()
	build := exec.CommandContext(ctx, "go", "build", "-o", e.path, ".")
	build.Dir = filepath.Join(checkout, "bench")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	list, err := command(ctx, e.path, "list")
	if err != nil {
		return nil, err
	}
	text, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("its bench cannot be asked what it measures: %w", err)
	}
	return e, json.Unmarshal(text, &e.takes)
}

func (e *earlier) remove() error {
	if e == nil {
		return nil
	}
	return os.RemoveAll(e.folder)
}

// has reports whether it can measure the same.
func (e *earlier) has(w workload, l *library) bool {
	return e != nil && l.kind == ours && slices.Contains(e.takes[w.Name], l.name)
}

// playList tells another checkout what this one can measure.
func playList() error {
	takes := map[string][]string{}
	for _, w := range workloads() {
		for _, l := range w.among {
			if l.kind == ours {
				takes[w.Name] = append(takes[w.Name], l.name)
			}
		}
	}
	return json.NewEncoder(os.Stdout).Encode(takes)
}

// nameBefore is what a library is called where an earlier measured it.
func nameBefore(library string) string { return library + ", before" }

// regressions are the goals that the workloads' figures be no worse than before.
func (r *report) regressions() []goal {
	var all []goal
	for _, c := range r.Results {
		bound := noWorse
		if !c.figure.more() {
			bound = 1 / noWorse
		}
		for _, e := range c.Entries {
			if c.entry(nameBefore(e.Library)) != nil {
				all = append(all, goal{c.Workload, e.Library, c.figure, bound, nameBefore(e.Library)})
			}
		}
	}
	return all
}
