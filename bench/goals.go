package main

import "fmt"

// bestPeer stands for whichever peer does best.
const bestPeer = "best peer"

// A goal is what wsflow is to reach: so many times what another does, or a
// bound in itself. It is reached by at least as much of messages a second, and
// by at most as much of everything else.
type goal struct {
	Workload string
	Library  string // of ours
	Figure   figure
	Bound    float64
	Against  string // a library, or bestPeer; empty: the bound stands alone
}

// goals lists what is aimed at.
func goals() []goal {
	all := []goal{
		{"receive/64B", wsflowAll.name, figureRate, 5, bestPeer},
		{"receive/64B", wsflowAll.name, figureRate, 0.8, bare.name},
		{"receive/64B-text", wsflowAll.name, figureRate, 4, bestPeer},
		{"receive/64B", wsflowChan.name, figureRate, 1.2, bestPeer},
		{"receive/64B", wsflowBatches.name, figureRate, 2, bestPeer},
		{"receive/1KiB", wsflowAll.name, figureRate, 2.5, bestPeer},
		{"receive/64KiB", wsflowAll.name, figureRate, 1, bestPeer},
		{"send/64B", wsflowSink.name, figureRate, 10, bestPeer},
		{"send/1KiB", wsflowSink.name, figureRate, 3, bestPeer},
		{"send/64KiB", wsflowSink.name, figureRate, 1, bestPeer},
		{"echo/64B", wsflowAll.name, figureRate, 0.95, bestPeer},
		{"tls/receive/64B", wsflowAll.name, figureRate, 2, bestPeer},
		{"tls/receive/64KiB", wsflowAll.name, figureRate, 1, bestPeer},
		{"tls/send/64B", wsflowSink.name, figureRate, 10, bestPeer},
		{"tls/send/64KiB", wsflowSink.name, figureRate, 1, bestPeer},
		{"observable/64B", wsflowObservable.name, figureRate, 0.9, rxgoDefer.name},
		{"observable/64B", wsflowObservableBatches.name, figureRate, 5, rxgoDefer.name},
		{"observable/64B-buffered", wsflowObservable.name, figureRate, 0.9, rxgoDefer.name},
		{"observable/64B-buffered", wsflowObservableBatches.name, figureRate, 5, rxgoDefer.name},
		{"idle/tcp", wsflowAll.name, figureMemory, 4400, ""},
		{"idle/tcp", wsflowAll.name, figureGoroutines, 1, ""},
		{"idle/tcp", wsflowChan.name, figureMemory, 5000 + queueMessages*messageSize, ""},
		{"idle/tcp", wsflowBatches.name, figureMemory, 7500, ""},
		{"idle/tcp", wsflowCallbacks.name, figureMemory, 7500, ""},
		{"idle/deflate-used", wsflowAll.name, figureMemory, 72 << 10, ""},
		{"idle/deflate-used-40", wsflowAll.name, figureMemory, 72<<10 + 4400, ""},
	}
	all = append(all, fleetGoals()...)
	for _, w := range compressed() {
		if w.Operation == opReceive {
			all = append(all, goal{w.Name, wsflowAll.name, figureRate, 1, bestPeer})
			continue
		}
		all = append(all,
			goal{w.Name, wsflowSink.name, figureRate, 1, bestPeer},
			goal{w.Name, wsflowSink.name, figureWire, 1.05, bestPeer})
	}
	return all
}

// What wsflow's queues hold by default.
const (
	queueMessages = 64
	queueBatches  = 16
	queueBytes    = 4 << 20
	batchMessages = 256
	messageSize   = 56 // of a stream.Message
)

// mayHold is how many bytes a busy connection of a fleet may hold: what it reads
// into, what its queue has in it, and its part of the one channel.
func mayHold(w workload, l *library) int {
	each := w.Size + messageSize
	switch l {
	case wsflowAll:
		return 128<<10 + channelItems*each/w.Connections
	case wsflowChan:
		return 64<<10 + min(queueBytes, queueMessages*each) + channelItems*each/w.Connections
	default:
		batch := min(128<<10, batchMessages*each)
		return 64<<10 + min(queueBytes, queueBatches*batch) + channelItems*batch/w.Connections
	}
}

// fleetGoals lists what is aimed at where there are many connections.
func fleetGoals() []goal {
	var all []goal
	for _, w := range append(gathered(false), gathered(true)...) {
		if w.Paced {
			all = append(all,
				goal{w.Name, wsflowAll.name, figureCPU, 1, bestPeer},
				goal{w.Name, wsflowChan.name, figureCPU, 1.15, bestPeer},
				goal{w.Name, wsflowBatches.name, figureCPU, 1.15, bestPeer},
				goal{w.Name, wsflowGroup.name, figureCPU, 1.15, bestPeer},
				goal{w.Name, wsflowAll.name, figureP99, 1, bestPeer},
				goal{w.Name, wsflowAll.name, figureDials, 0.9, bestPeer})
			continue
		}
		if w.Size == 64 {
			all = append(all,
				goal{w.Name, wsflowGroup.name, figureRate, 1.2, wsflowChan.name},
				goal{w.Name, wsflowGroup.name, figureRate, 2, bestPeer})
		}
		for _, l := range []*library{wsflowAll, wsflowChan, wsflowBatches} {
			all = append(all, goal{w.Name, l.name, figureMemory, float64(mayHold(w, l)), ""})
		}
	}
	return all
}

// String writes what is aimed at.
func (g goal) String() string {
	sign := "<="
	if g.Figure.more() {
		sign = ">="
	}
	s := fmt.Sprintf("%s: %s, %s %s %g", g.Workload, g.Library, g.Figure, sign, g.Bound)
	if g.Against != "" {
		s += " x " + g.Against
	}
	return s
}

// A verdict is a goal and what was reached.
type verdict struct {
	Goal    string  `json:"goal"`
	Reached float64 `json:"reached"`
	Yes     bool    `json:"yes"`
	OfTuned float64 `json:"ofBestTuned,omitempty"` // the same, had the tuned peers counted
}

// String writes the answer, the goal and what was reached.
func (v verdict) String() string {
	answer := "no "
	if v.Yes {
		answer = "yes"
	}
	s := fmt.Sprintf("  %s  %-78s reached %.2f", answer, v.Goal, v.Reached)
	if v.OfTuned != 0 && v.OfTuned != v.Reached {
		s += fmt.Sprintf(" (%.2f with tuned peers)", v.OfTuned)
	}
	return s
}

// judge compares the goals whose workloads were measured.
func (r *report) judge(all []goal) []verdict {
	var verdicts []verdict
	for _, g := range all {
		if c := r.result(g.Workload); c != nil && c.has(g) {
			verdicts = append(verdicts, c.judge(g))
		}
	}
	return verdicts
}

// has reports whether all that the goal is about was measured.
func (c *comparison) has(g goal) bool {
	switch {
	case c.entry(g.Library) == nil:
		return false
	case g.Against == bestPeer:
		return c.best(g.Figure, peer) != nil
	default:
		return g.Against == "" || c.entry(g.Against) != nil
	}
}

func (c *comparison) judge(g goal) verdict {
	v := verdict{Goal: g.String(), Reached: c.entry(g.Library).value(g.Figure)}
	against := 1.0
	switch g.Against {
	case "":
	case bestPeer:
		v.OfTuned = per(v.Reached, c.best(g.Figure, peer, tuned).value(g.Figure))
		against = c.best(g.Figure, peer).value(g.Figure)
		v.Reached = per(v.Reached, against)
	default:
		against = c.entry(g.Against).value(g.Figure)
		v.Reached = per(v.Reached, against)
	}
	v.Yes = against > 0 && (v.Reached == g.Bound || g.Figure.better(v.Reached, g.Bound))
	return v
}
