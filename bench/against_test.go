package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// A checkout is measured beside this one: here it is the same.
func TestAgainst(t *testing.T) {
	p := plan{
		Rounds: 2, Window: 2 * time.Millisecond, Connections: 1, Fleet: 3, Every: time.Millisecond, Against: "..",
		match: regexp.MustCompile("^fleet/100/64B$"), among: regexp.MustCompile("gws|All"), progress: t.Output(),
	}
	r, err := p.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := r.result("fleet/100/64B")
	old := c.entry("wsflow All, before")
	if old == nil || len(old.Samples) != 2 || old.Median.Rate <= 0 || old.Kind != before {
		t.Fatalf("the checkout's are %+v", old)
	}
	if e := c.entry(wsflowAll.name); e.OfBefore != e.Median.Rate/old.Median.Rate {
		t.Errorf("%v is %v of %v", e.Median.Rate, e.OfBefore, old.Median.Rate)
	}
	if c.BestPeer != gwsLibrary.name || c.entry(nameBefore(gwsLibrary.name)) != nil {
		t.Error("a peer was measured twice")
	}
	judged := false
	for _, v := range r.Goals {
		judged = judged || strings.Contains(v.Goal, ">= 0.97 x wsflow All, before")
	}
	if !judged {
		t.Errorf("no goal compares with before: %v", r.Goals)
	}
}

func TestAgainstNothing(t *testing.T) {
	folder := t.TempDir()
	p := plan{Rounds: 1, Connections: 1, Fleet: 1, Against: folder, match: regexp.MustCompile("echo"), among: regexp.MustCompile("")}
	if _, err := p.run(t.Context()); err == nil || !strings.Contains(err.Error(), "-against "+folder) {
		t.Errorf("a folder without a bench gives %v", err)
	}
}

// Below 0.97 of before is worse; a figure of which less is better may grow as much.
func TestRegressions(t *testing.T) {
	r := measured(workload{Name: "w", Operation: opReceive}, map[*library]sample{
		wsflowAll: {Rate: 96}, wsflowChan: {Rate: 98}, wsflowSend: {Rate: 1},
		{name: nameBefore(wsflowAll.name), kind: before}:  {Rate: 100},
		{name: nameBefore(wsflowChan.name), kind: before}: {Rate: 100},
	})
	r.conclude()
	answers := map[string]bool{}
	for _, v := range r.Goals {
		answers[v.Goal] = v.Yes
	}
	if len(answers) != 2 || answers["w: wsflow All, messages/s >= 0.97 x wsflow All, before"] ||
		!answers["w: wsflow Chan, messages/s >= 0.97 x wsflow Chan, before"] {
		t.Errorf("judged %v", r.Goals)
	}
}
