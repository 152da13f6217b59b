package streamtest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wsflow/wsflow/stream"
)

// TestChecksFindFaults has an operator for each fault, and the check that must
// find it.
func TestChecksFindFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		op    odd
		check func(context.Context, Pair) error
		want  string // in the error
	}{
		{"changes payloads of In", changesIn, passesMessages, "In changed a payload"},
		{"changes payloads of Out", changesOut, passesMessages, "Out changed a payload"},
		{"changes payloads of Control", changesControl, passesBetweenControls, "Control changed a payload"},
		{"keeps payloads of In", keepsIn, passesMessages, "message "},
		{"keeps payloads of Out", keepsOut, passesMessages, "message "},
		{"drops a message", drops, passesMessages, "message 9 "},
		{"repeats messages", repeats, passesMessages, "message 1 "},
		{"sends a message more", adds(len(script(5, fewSizes))), passesClosing, "that nobody sent"},
		{"begins again in a message", beginsAgain, passesFragments, "message"},
		{"keeps pieces of In", keepsIn, passesFragments, "message 24 "},
		{"keeps pieces of Out", keepsOut, passesFragments, "message 24 "},
		{"swaps messages", swaps, passesManySenders, "sender"},
		{"changes the type", makesBinary, passesMessages, "binary of 0 bytes arrived"},
		{"cuts large messages", cutsLarge, passesMessages, "of 1048575 bytes arrived"},
		{"fails on a Pong", failsOn(stream.Pong), passesBetweenControls, "seen a pong"},
		{"fails on a Close", failsOn(stream.Close), passesClosing, "seen a close"},
		{"forges Pongs", forges, passesBetweenControls, "Ping"},
		{"mixes connections", mixes(), servesMany, "binary of 0 bytes arrived"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				if err := c.check(ctx, both(c.op)); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want one that says %q", err, c.want)
				}
			})
		})
	}
}

// TestArrangementFindsFaults puts a faulty operator between the kit's own.
func TestArrangementFindsFaults(t *testing.T) {
	for _, op := range []odd{repeats, drops} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if composes(ctx, arrangement{{pair: both(injector{})}, {pair: both(op)}, {pair: both(counter{})}}) == nil {
				t.Error("no error")
			}
		})
	}
}

func TestLeavesNothingFindsLeaks(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	if err := leavesNothing(both(leaks(stop))); err == nil || !strings.Contains(err.Error(), "goroutines behind") {
		t.Errorf("error %v for an operator that leaves goroutines behind", err)
	}
	if err := leavesNothing(both(counter{})); err != nil {
		t.Errorf("error for an operator that leaves nothing behind: %v", err)
	}
}

func TestArrangements(t *testing.T) {
	pair := both(counter{})
	for _, c := range []struct{ pairs, want int }{{0, 5}, {1, 16}, {2, 65}, {3, 326}} {
		var pairs []Pair
		for range c.pairs {
			pairs = append(pairs, pair)
		}
		names := map[string]bool{}
		for _, a := range arrangements(parts(pairs)) {
			names[a.name()] = true
		}
		if len(names) != c.want {
			t.Errorf("%d pairs and two operators of the kit have %d arrangements, want %d", c.pairs, len(names), c.want)
		}
	}
}

// TestNone shows that the kit finds no fault where there is no operator.
func TestNone(t *testing.T) {
	Run(t, func() (client, server stream.Operator) { return nil, nil })
}

// TestRunFails runs a faulty operator in another process, in which Run fails.
func TestRunFails(t *testing.T) {
	const child = "STREAMTEST_CHILD"
	if os.Getenv(child) != "" {
		Run(t, both(odd(drops)))
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunFails$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the process succeeded")
	}
	fail := []string{
		"operator_0/messages", "operator_0/messages_in_small_pieces",
		"operator_0/messages_between_control_frames", "operator_0/messages_of_many_senders",
		"operator_0/closing", "operator_0/connections_at_the_same_time",
		"composed/operator_0", "composed/injector,_operator_0,_counter",
	}
	if !raceDetector {
		fail = append(fail, "operator_0/allocations")
	}
	for _, name := range fail {
		if !strings.Contains(string(out), "--- FAIL: TestRunFails/"+name+" (") {
			t.Errorf("%s does not fail", name)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
