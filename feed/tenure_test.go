package feed

import (
	"errors"
	"testing"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Each event in each phase: what is to be done, and which phase follows.
func TestTenureEvents(t *testing.T) {
	type then struct {
		do    action
		phase phase
	}
	still := func(p phase) then { return then{doNothing, p} }
	for _, test := range []struct {
		phase phase
		next  outlook
		want  map[event]then // still, where nothing is said
	}{
		{phaseIdle, outlookReopen, map[event]then{
			eventOpen:   {doOpen, phaseOpening},
			eventRevoke: {doFinish, phaseOver},
		}},
		{phaseOpening, outlookReopen, map[event]then{
			eventOpened: {doNothing, phaseOpen},
			eventFailed: {doRetry, phaseIdle},
			eventRevoke: {doCancel, phaseOpening},
		}},
		{phaseOpening, outlookLeave, map[event]then{
			eventOpened: {doLeave, phaseClosing},
			eventFailed: {doFinish, phaseOver},
			eventLate:   {doFinish, phaseOver},
			eventRevoke: {doCancel, phaseOpening},
		}},
		{phaseOpen, outlookReopen, map[event]then{
			eventEnded:    {doMark, phaseClosing},
			eventBroke:    {doMark, phaseClosing},
			eventConflict: {doLeave, phaseClosing},
			eventRevoke:   {doLeave, phaseClosing},
		}},
		{phaseClosing, outlookReopen, map[event]then{eventMark: {doRetry, phaseIdle}}},
		{phaseClosing, outlookDone, map[event]then{eventMark: {doFinish, phaseOver}}},
		{phaseClosing, outlookLeave, map[event]then{eventMark: {doFinish, phaseOver}}},
		{phaseOver, outlookDone, nil},
		{phaseOver, outlookLeave, nil},
	} {
		for e := eventOpen; e <= eventRevoke; e++ {
			want, said := test.want[e]
			if !said {
				want = still(test.phase)
			}
			f := tenure{phase: test.phase, next: test.next}
			if do := f.on(e, time.Unix(9, 0), result.Status{}); do != want.do || f.phase != want.phase {
				t.Errorf("event %d in phase %d with outlook %d: action %d, phase %d; want %d, %d",
					e, test.phase, test.next, do, f.phase, want.do, want.phase)
			}
		}
	}
}

// A feed that has ended is opened again if what came of it could not be stored.
func TestTenureConflictBehindTheEnd(t *testing.T) {
	f := tenure{phase: phaseOpen}
	f.on(eventEnded, time.Unix(1, 0), result.Status{})
	f.on(eventConflict, time.Unix(1, 0), result.Status{})
	if do := f.on(eventMark, time.Unix(2, 0), result.Status{}); do != doRetry {
		t.Errorf("the action is %d, want %d", do, doRetry)
	}
}

// Failures are counted until a source lasts.
func TestTenureFailures(t *testing.T) {
	var f tenure
	now := time.Unix(0, 0)
	round := func(lasts time.Duration, end event) {
		t.Helper()
		f.on(eventOpen, now, result.Status{})
		f.on(eventOpened, now, result.Status{})
		now = now.Add(lasts)
		f.on(end, now, result.Status{Err: errors.New("broken")})
		f.on(eventMark, now, result.Status{})
	}
	for _, step := range []struct {
		lasts time.Duration
		end   event
		want  int
	}{
		{0, eventBroke, 1}, {time.Second, eventConflict, 2}, {stable - 1, eventBroke, 3}, {stable, eventBroke, 0}, {0, eventConflict, 1}, {stable, eventConflict, 0},
	} {
		if round(step.lasts, step.end); f.failures != step.want {
			t.Errorf("after %v there are %d failures, want %d", step.lasts, f.failures, step.want)
		}
	}
	f.on(eventOpen, now, result.Status{})
	if f.on(eventFailed, now, result.Status{}); f.failures != 1 {
		t.Errorf("after an Open that failed there are %d failures, want 1", f.failures)
	}
	if g := f.gap(now.Add(time.Minute)); g.From != 6 || g.To != 7 || g.Attempts != 2 || g.Down != time.Minute || g.Status.Err == nil {
		t.Errorf("the gap is %+v", g)
	}
	f.unstored = &stream.Gap{From: 4, Lost: now.Add(-time.Hour)}
	if g := f.gap(now); g.From != 4 || g.To != 7 || g.Down != time.Hour || g.Status.Err != nil {
		t.Errorf("behind a gap that no record followed the gap is %+v", g)
	}
	if g := new(tenure).gap(now); g.From != 0 || g.To != 1 || g.Down != 0 || !g.Lost.IsZero() {
		t.Errorf("the gap of a worker's first source is %+v", g)
	}
}
