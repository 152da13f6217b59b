package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var sensors = []sensor{
	{"north", 600, 1000, "end of shift"},
	{"east", 450, 1000, ""},
	{"south", 300, statusBatteryLow, "battery low"},
}

// The display may show nothing before all readings have come: none is lost for the
// other taker.
func TestSlowDisplay(t *testing.T) {
	status, lines := runs(t, sensors)
	want(t, "the exit status", status, 0)
	wantLines(t, lines[:1], "1350 readings")
	wantLines(t, lines[len(lines)-3:],
		"north  [1000, end of shift], 600 readings",
		"east   [1000, ], 450 readings",
		"south  [4000, battery low], 300 readings")
}

// It shows the last readings then, and says how many it has missed.
func TestNewestReadings(t *testing.T) {
	status, lines := runs(t, []sensor{{"north", 600, 1000, "end of shift"}})
	want(t, "the exit status", status, 0)
	for i, line := range lines {
		from, _, _ := strings.Cut(line, " °C")
		lines[i] = strings.Replace(line, from[strings.Index(from, ":")+1:]+" °C", "", 1)
	}
	wantLines(t, lines,
		"600 readings",
		"north  597:, behind 597 others",
		"north  598:, behind 0 others",
		"north  599:, behind 0 others",
		"north  has ended",
		"3 shown and 597 dropped",
		"north  [1000, end of shift], 600 readings")
}

// One connection that fails ends neither the others nor the program.
func TestFailure(t *testing.T) {
	status, lines := runs(t, []sensor{{"north", 200, 1000, ""}, {"east", 0, 4001, "stolen"}})
	want(t, "the exit status", status, 1)
	wantLines(t, lines[:1], "200 readings")
	wantLines(t, lines[len(lines)-2:],
		"north  [1000, ], 200 readings",
		"east   [4001, stolen], 0 readings")
}

// A display that is quick shows every reading.
func TestQuickDisplay(t *testing.T) {
	var out, stderr bytes.Buffer
	tick := make(chan time.Time)
	close(tick)
	status := run([]sensor{{"north", displayQueue - 1, 1000, ""}}, &out, &stderr, tick)
	want(t, "the exit status", status, 0)
	if part := "3 shown and 0 dropped\n"; !strings.Contains(out.String(), part) {
		t.Errorf("the program printed\n%s\nwant %q in it", out.String(), part)
	}
}

// runs runs the program with a display that waits until the readings have been
// counted, and returns the exit status and the lines.
func runs(t *testing.T, sensors []sensor) (status int, lines []string) {
	t.Helper()
	var stderr bytes.Buffer
	out := &watched{part: " readings", seen: make(chan time.Time)}
	status = run(sensors, out, &stderr, out.seen)
	want(t, "standard error", stderr.String(), "")
	return status, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// A watched buffer closes a channel when a part was written. It has one writer
// at a time.
type watched struct {
	bytes.Buffer
	part string
	seen chan time.Time
}

func (w *watched) Write(p []byte) (int, error) {
	if w.part != "" && bytes.Contains(p, []byte(w.part)) {
		w.part = ""
		close(w.seen)
	}
	return w.Buffer.Write(p)
}

func wantLines(t *testing.T, got []string, lines ...string) {
	t.Helper()
	want(t, "the output", strings.Join(got, "\n"), strings.Join(lines, "\n"))
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%v\nwant\n%v", what, got, want)
	}
}
