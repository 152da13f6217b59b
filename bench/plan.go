package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// A plan says what is measured, how long and how often.
type plan struct {
	Rounds      int
	Window      time.Duration
	Connections int            // of an idle workload
	Fleet       int            // the most connections of a fleet
	Every       time.Duration  // between two messages of a connection, where a fleet is paced
	match       *regexp.Regexp // on the workload's name
	among       *regexp.Regexp // on the library's name
	Against     string         // another checkout that is measured as well; empty: none
	progress    io.Writer
}

// command is what repeats the plan.
func (p plan) command() string {
	s := fmt.Sprintf("go run . -rounds %d -time %v -connections %d -fleet %d -every %v",
		p.Rounds, p.Window, p.Connections, p.Fleet, p.Every)
	if only := p.match.String(); only != "" {
		s += fmt.Sprintf(" -run '%s'", only)
	}
	if among := p.among.String(); among != "" {
		s += fmt.Sprintf(" -among '%s'", among)
	}
	if p.Against != "" {
		s += " -against " + p.Against
	}
	return s
}

// run measures everything and returns the report.
func (p plan) run(ctx context.Context) (r *report, err error) {
	if err := raiseDescriptors(max(p.Connections, p.Fleet)); err != nil {
		return nil, err
	}
	server, stop, err := startServer(ctx, anyCore)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	echo, stopEcho, err := startServer(ctx, firstCore)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopEcho()) }()
	var earlier *earlier
	if p.Against != "" {
		if earlier, err = buildEarlier(ctx, p.Against); err != nil {
			return nil, err
		}
	}
	defer func() { err = errors.Join(err, earlier.remove()) }()
	jobs := p.jobs(server, echo, earlier)
	if len(jobs) == 0 {
		return nil, fmt.Errorf("bench: no workload's name matches %q with a library that matches %q", p.match, p.among)
	}
	r = &report{Machine: thisMachine(), Command: p.command()}
	began := time.Now()
	for i, j := range jobs {
		bounded, cancel := context.WithTimeout(ctx, j.patience())
		found, err := j.apart(bounded)
		cancel()
		if err != nil {
			return nil, err
		}
		r.add(j, found)
		left := time.Since(began) / time.Duration(i+1) * time.Duration(len(jobs)-i-1)
		fmt.Fprintf(p.progress, "%4d/%d  %-28s %-24s %s  (%v left)\n",
			i+1, len(jobs), j.Workload.Name, j.name(), found, left.Round(time.Second))
	}
	r.conclude()
	return r, nil
}

// patience is how long a job may take before something must be wrong.
func (j job) patience() time.Duration {
	return time.Minute + 10*j.Window + time.Duration(j.Connections)*10*time.Millisecond
}

// jobs lists all measurements: round after round, in each of them the
// libraries of a workload one after the other, beginning with another one, as
// each leaves the machine to the next. Memory does not vary as speed
// does: one round of it is enough.
func (p plan) jobs(server, echo address, earlier *earlier) []job {
	var all []job
	for round := range p.Rounds {
		for _, w := range workloads() {
			if !p.match.MatchString(w.Name) || w.Operation == opHold && round > 0 {
				continue
			}
			where := server
			if w.Operation == opEcho {
				where = echo
			}
			for i := range w.among {
				l := w.among[(i+round)%len(w.among)]
				if !p.among.MatchString(l.name) {
					continue
				}
				pair := []job{{
					Workload: w, Library: l.name, Kind: l.kind, Server: where, Window: p.Window,
					Connections: p.connections(w), Every: p.Every,
				}}
				if earlier.has(w, l) {
					pair = paired(pair[0], earlier, round)
				}
				all = append(all, pair...)
			}
		}
	}
	for i := range all {
		all[i].ID = uint64(i)
	}
	return all
}

// paired adds the same job for an earlier, before or after it by turns.
func paired(j job, earlier *earlier, round int) []job {
	old := j
	old.Kind, old.program = before, earlier.path
	if round%2 == 1 {
		return []job{old, j}
	}
	return []job{j, old}
}

// connections is how many a workload has: a tenth where each of them may keep a
// megabyte.
func (p plan) connections(w workload) int {
	switch {
	case w.Operation == opFleet:
		return min(p.Fleet, w.Connections)
	case w.Used > 0:
		return max(1, p.Connections/10)
	default:
		return p.Connections
	}
}
