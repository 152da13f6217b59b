package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets this program play the parts that the comparison starts. Under
// the race detector each of these processes would end with a second of sleep.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	played, err := playPart()
	if !played {
		goleak.VerifyTestMain(m)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestEveryWorkload runs all there is, for an instant each.
func TestEveryWorkload(t *testing.T) {
	p := plan{
		Rounds: 1, Window: 2 * time.Millisecond, Connections: 3, Fleet: 3, Every: time.Millisecond,
		match: regexp.MustCompile(""), among: regexp.MustCompile(""), progress: t.Output(),
	}
	r, err := p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workloads() {
		for _, l := range w.among {
			t.Run(w.Name+"/"+l.name, func(t *testing.T) { plausible(t, w, r.result(w.Name).entry(l.name)) })
		}
	}
	if len(r.Goals) != len(goals()) {
		t.Errorf("%d of %d goals were judged", len(r.Goals), len(goals()))
	}
	folder := t.TempDir()
	if err := r.write(folder, 20); err != nil {
		t.Fatal(err)
	}
	readable(t, folder)
}

// plausible checks that there is a sample, and that it has what the workload
// is about.
func plausible(t *testing.T, w workload, e *entry) {
	if e == nil {
		t.Fatal("was not measured")
	}
	s := e.Median
	switch {
	case w.Operation == opHold:
		if s.Goroutines < 1 {
			t.Errorf("%v goroutines a connection", s.Goroutines)
		}
	case s.Rate <= 0:
		t.Errorf("%v messages a second", s.Rate)
	case w.Deflate != deflateOff && (s.Wire <= 0 || s.Wire >= float64(w.Size)):
		t.Errorf("%v bytes on the wire for a message of %d", s.Wire, w.Size)
	}
}

// readable checks what a report writes.
func readable(t *testing.T, folder string) {
	text, err := os.ReadFile(filepath.Join(folder, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Error(err)
	}
	if len(back.Results) != len(workloads()) {
		t.Errorf("results.json has %d of %d workloads", len(back.Results), len(workloads()))
	}
	for _, s := range sheets {
		f, err := os.Open(filepath.Join(folder, s.file))
		if err != nil {
			t.Error(err)
			continue
		}
		defer f.Close()
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%s: %v", s.file, err)
		}
	}
}
