package redial

import (
	"errors"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

var (
	epoch0   = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	errCut   = &result.ConnectionFailed{Err: errors.New("cut")}
	errDial  = errors.New("nobody there")
	cut      = result.Status{Code: 1006, Err: errCut}
	done     = result.Status{Code: 1000, Reason: "done", ByPeer: true, Sent: 1000, Received: 1000}
	ownClose = result.Status{Code: 1000, Sent: 1000, Received: 1000}
	asked    = result.Status{Code: 4000, Reason: "enough"}
)

const stable = 10 * time.Second

// in returns a cycle that has come to the phase for the first time.
func in(p phase) *cycle {
	c := &cycle{}
	steps := map[phase][]func(){
		phaseDialing: {func() { c.dial() }},
		phaseOpening: {func() { c.dialed() }},
		phaseOpen:    {func() { c.open(epoch0, false) }},
		phaseLost:    {func() { c.lose(epoch0.Add(time.Second), cut, stable) }},
		phaseEnded:   {func() { c.decide(false) }},
	}
	for at := phaseDialing; at <= p; at++ {
		for _, step := range steps[at] {
			step()
		}
	}
	return c
}

// Every event in every phase: what it returns, and the phase that follows. An event
// that does not belong to a phase changes nothing.
func TestCycle(t *testing.T) {
	phases := []phase{phaseWaiting, phaseDialing, phaseOpening, phaseOpen, phaseLost, phaseEnded}
	cuts := map[phase]phase{
		phaseWaiting: phaseEnded, phaseDialing: phaseEnded, phaseOpening: phaseEnded,
		phaseOpen: phaseEnded, phaseLost: phaseEnded,
	}
	closes := maps.Clone(cuts)
	closes[phaseOpen] = phaseOpen
	events := []struct {
		name string
		do   func(*cycle) bool
		then map[phase]phase // where the event returns true
		also map[phase]phase // where it returns false, and yet the phase changes
	}{
		{"dial", (*cycle).dial, map[phase]phase{phaseWaiting: phaseDialing}, nil},
		{"dialed", (*cycle).dialed, map[phase]phase{phaseDialing: phaseOpening}, nil},
		{"open", func(c *cycle) bool {
			_, ok := c.open(epoch0, true)
			return ok
		}, map[phase]phase{phaseOpening: phaseOpen}, nil},
		{"fail", func(c *cycle) bool {
			_, ok := c.fail(errDial)
			return ok
		}, map[phase]phase{phaseDialing: phaseLost, phaseOpening: phaseLost}, nil},
		{"lose", func(c *cycle) bool {
			_, _, ok := c.lose(epoch0, cut, stable)
			return ok
		}, map[phase]phase{phaseOpen: phaseLost}, nil},
		{"decide to go on", func(c *cycle) bool { return c.decide(true) }, map[phase]phase{phaseLost: phaseWaiting}, nil},
		{"decide to give up", func(c *cycle) bool { return c.decide(false) }, nil, map[phase]phase{phaseLost: phaseEnded}},
		{"Close", func(c *cycle) bool { return c.ask(wish{wishClose, asked}) }, closes, nil},
		{"CloseNow", func(c *cycle) bool { return c.ask(wish{wishCut, cut}) }, cuts, nil},
	}
	for _, e := range events {
		for _, p := range phases {
			c := in(p)
			ok := e.do(c)
			want, wantOK := e.then[p]
			if !wantOK {
				want = p
				if also, is := e.also[p]; is {
					want = also
				}
			}
			if ok != wantOK || c.phase != want {
				t.Errorf("%s while %v: %v, then %v; want %v, then %v", e.name, p, ok, c.phase, wantOK, want)
			}
		}
	}
}

// What the program asked for decides how the source ends, wherever it stands.
func TestCycleEnds(t *testing.T) {
	closed := wish{wishClose, asked}
	waits := wish{wishWait, asked}
	now := wish{wishCut, failed(&result.ConnectionFailed{Err: errDial})}
	for name, test := range map[string]struct {
		from   phase
		wishes []wish
		then   func(*cycle)
		want   result.Status
	}{
		"Close, waiting":                   {phaseWaiting, []wish{closed}, nil, asked},
		"Close, dialing":                   {phaseDialing, []wish{closed}, nil, asked},
		"Close, opening":                   {phaseOpening, []wish{closed}, nil, asked},
		"Close, lost":                      {phaseLost, []wish{closed}, nil, asked},
		"Close, no connection to close":    {phaseOpen, []wish{closed}, func(c *cycle) { c.lose(epoch0, cut, stable) }, asked},
		"Close, open":                      {phaseOpen, []wish{waits}, func(c *cycle) { c.lose(epoch0, done, stable) }, done},
		"Close, and the connection is cut": {phaseOpen, []wish{waits}, func(c *cycle) { c.lose(epoch0, cut, stable) }, cut},
		"CloseNow after Close":             {phaseOpen, []wish{waits, now}, nil, now.status},
		"Close after CloseNow":             {phaseOpen, []wish{now, waits}, nil, now.status},
		"CloseNow, lost":                   {phaseLost, []wish{now}, nil, now.status},
		"Close after the end":              {phaseWaiting, []wish{now, closed}, nil, now.status},
		"the server is done":               {phaseOpen, nil, func(c *cycle) { c.lose(epoch0, done, stable); c.decide(false) }, done},
	} {
		c := in(test.from)
		for _, w := range test.wishes {
			c.ask(w)
		}
		if test.then != nil {
			test.then(c)
		}
		if c.phase != phaseEnded || c.status != test.want {
			t.Errorf("%s: %v with %+v, want %+v", name, c.phase, c.status, test.want)
		}
	}
}

// A source that gives up says after how many dials, and why each of the last ones
// failed.
func TestCycleGivesUp(t *testing.T) {
	c := in(phaseOpen)
	c.lose(epoch0, cut, stable)
	c.decide(true)
	for range 2 {
		c.dial()
		c.fail(errDial)
		c.decide(true)
	}
	c.dial()
	c.dialed()
	c.fail(errCut)
	c.decide(false)
	var e *Error
	if !errors.As(c.status.Err, &e) || c.status.Code != 1006 {
		t.Fatalf("it ended with %+v", c.status)
	}
	if want := []error{errCut, errDial, errDial, errCut}; e.Attempts != 3 || !reflect.DeepEqual(e.Causes, want) {
		t.Errorf("%d attempts, causes %v; want 3, %v", e.Attempts, e.Causes, want)
	}
	if want := "wsflow: gave up after 3 dials: wsflow: connection failed: cut"; e.Error() != want {
		t.Errorf("it says %q, want %q", e, want)
	}
	if !errors.Is(e, errDial) {
		t.Error("errors.Is does not find an earlier cause")
	}
	again := in(phaseOpening) // behind a first dial that failed
	again.causes = []error{errDial}
	again.open(epoch0, false)
	again.lose(epoch0, cut, stable)
	again.decide(false)
	if !errors.As(again.status.Err, &e) || len(e.Causes) != 1 || e.Causes[0] != errCut {
		t.Errorf("causes %v, want what came since the last connection: %v", e.Causes, errCut)
	}
	for range 20 {
		c.blame(failed(errDial))
	}
	if len(c.causes) != maxCauses {
		t.Errorf("%d causes are kept, want %d", len(c.causes), maxCauses)
	}
	first := in(phaseDialing)
	first.fail(errDial)
	first.decide(false)
	if want := "wsflow: gave up after 1 dial: nobody there"; first.status.Err.Error() != want {
		t.Errorf("it says %q, want %q", first.status.Err, want)
	}
}

// The number of the failure begins anew behind a connection that was stable, and
// only there.
func TestCycleStable(t *testing.T) {
	c := &cycle{}
	fails := func(lasted time.Duration, st result.Status, wantN int, wantErr error) {
		t.Helper()
		c.dial()
		c.dialed()
		c.open(epoch0, false)
		n, err, ok := c.lose(epoch0.Add(lasted), st, stable)
		if n != wantN || err != wantErr || !ok {
			t.Errorf("failure %d, %v, %v; want %d, %v", n, err, ok, wantN, wantErr)
		}
		c.decide(true)
	}
	fails(stable-1, cut, 1, errCut)
	fails(stable-1, cut, 2, errCut)
	c.dial()
	if n, _ := c.fail(errDial); n != 3 {
		t.Errorf("the failed dial is failure %d, want 3", n)
	}
	c.decide(true)
	fails(0, done, 4, nil)
	fails(stable, ownClose, 1, errOwnClose)
	fails(0, cut, 2, errCut)
}

// The gap of the second Notice tells from when to when, how, and how often was
// dialed; the first connection has none.
func TestCycleGap(t *testing.T) {
	c := in(phaseOpening)
	if c.upcoming(epoch0) != nil {
		t.Error("Open is told of a gap before the first connection")
	}
	if gap, ok := c.open(epoch0, true); gap != nil || !ok || c.epoch != 1 {
		t.Errorf("the first connection has the gap %+v and the epoch %d", gap, c.epoch)
	}
	lost := epoch0.Add(time.Minute)
	c.lose(lost, cut, stable)
	if want := (stream.Gap{From: 1, Status: cut, Lost: lost}); *c.gap != want {
		t.Errorf("the gap begins as %+v, want %+v", *c.gap, want)
	}
	c.decide(true)
	c.dial()
	c.fail(errDial)
	c.decide(true)
	c.dial()
	c.dialed()
	want := stream.Gap{From: 1, To: 2, Status: cut, Attempts: 2, Lost: lost, Down: 3 * time.Second}
	if gap := c.upcoming(lost.Add(3 * time.Second)); *gap != want {
		t.Errorf("Open is told %+v, want %+v", *gap, want)
	}
	want.Down, want.Continued = 4*time.Second, true
	if gap, _ := c.open(lost.Add(4*time.Second), true); *gap != want || c.epoch != 2 {
		t.Errorf("the gap ends as %+v, want %+v", *gap, want)
	}
}
