package main

import (
	"bytes"
	"fmt"
	"slices"
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

// Displays that show nothing before all readings have come get the last ones,
// and lose the others; the joined channel loses none.
func TestSlowDisplays(t *testing.T) {
	status, lines := fanin(t, sensors)
	want(t, "the exit status", status, 0)
	wantLines(t, lines[:1], "1350 readings: 450 of east, 600 of north, 300 of south")
	var shown []string
	for _, s := range sensors {
		for n := s.readings - displayQueue; n < s.readings; n++ {
			shown = append(shown, fmt.Sprintf("%-6s %d: ", s.name, n))
		}
	}
	got := slices.Clone(lines[1 : len(lines)-3])
	for i, line := range got {
		got[i] = line[:strings.Index(line, ": ")+2]
	}
	slices.Sort(got)
	slices.Sort(shown)
	wantLines(t, got, shown...)
	wantLines(t, lines[len(lines)-3:],
		"north  [1000, end of shift], 4 readings shown and 596 dropped",
		"east   [1000, ], 4 readings shown and 446 dropped",
		"south  [4000, battery low], 4 readings shown and 296 dropped")
}

// One connection that fails ends neither the others nor the program.
func TestFailure(t *testing.T) {
	status, lines := fanin(t, []sensor{{"north", 200, 1000, ""}, {"east", 0, 4001, "stolen"}})
	want(t, "the exit status", status, 1)
	wantLines(t, lines[:1], "200 readings: 200 of north")
	wantLines(t, lines[len(lines)-2:],
		"north  [1000, ], 4 readings shown and 196 dropped",
		"east   [4001, stolen], 0 readings shown and 0 dropped")
}

// A display that is quick gets every reading: what the slow ones lose is lost
// in their queues and nowhere else.
func TestQuickDisplay(t *testing.T) {
	var out, stderr bytes.Buffer
	tick := make(chan time.Time)
	close(tick)
	status := run([]sensor{{"north", displayQueue, 1000, ""}}, &out, &stderr, tick)
	want(t, "the exit status", status, 0)
	if last := "north  [1000, ], 4 readings shown and 0 dropped\n"; !strings.HasSuffix(out.String(), last) {
		t.Errorf("the program printed\n%s\nwant it to end with\n%s", out.String(), last)
	}
}

// fanin runs the program with displays that wait until the readings have been
// counted, and returns the exit status and the lines.
func fanin(t *testing.T, sensors []sensor) (status int, lines []string) {
	t.Helper()
	var stderr bytes.Buffer
	out := &watched{part: " readings: ", seen: make(chan time.Time)}
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
