package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wsflow/wsflow/result"
)

var (
	errRead   = errors.New("the read failed")
	errWrite  = errors.New("the write failed")
	errLate   = errors.New("the time is up")
	errGiven  = errors.New("the program gave it up")
	errSilent = errors.New("the peer is silent")
	errOp     = errors.New("the operator failed")
	errMine   = errors.New("the program failed")
	errEnd    = errors.New("the stream ended")

	errBreach = &result.ProtocolError{Code: 1002, What: "a breach"}
)

// whatHappens are the events, each in its plainest form.
var whatHappens = map[string]closeEvent{
	"close":       {kind: onClose, code: 4000, reason: "ours"},
	"fail":        {kind: onClose, code: 1011, err: errMine},
	"flushed":     {kind: onFlushed},
	"peer close":  {kind: onPeerClose, code: 1000, reason: "theirs"},
	"written":     {kind: onWritten},
	"read end":    {kind: onReadEnd, err: errEnd},
	"read error":  {kind: onReadEnd, err: errRead},
	"write error": {kind: onWriteError, err: errWrite},
	"deadline":    {kind: onDeadline, err: errLate},
	"CloseNow":    {kind: onCloseNow, err: errGiven},
	"silence":     {kind: onSilence, err: errSilent},
	"violation":   {kind: onViolation, code: 1002, reason: "a breach", err: errBreach},
	"operator":    {kind: onOperator, code: 1011, err: errOp},
	"program":     {kind: onProgram, code: 1011, err: errMine},
}

// wayTo is a shortest way to each phase.
var wayTo = map[phase][]string{
	phaseOpen:      {},
	phaseFlushing:  {"close"},
	phaseQueued:    {"close", "flushed"},
	phaseSent:      {"close", "flushed", "written"},
	phaseBroken:    {"write error"},
	phaseReceived:  {"peer close"},
	phaseSettled:   {"violation"},
	phaseLingering: {"violation", "written"},
	phaseGone:      {"CloseNow"},
}

var phaseNames = []string{"open", "flushing", "queued", "sent", "broken", "received", "settled", "lingering", "gone"}

var actionNames = []string{"begin", "time", "break", "queue", "settle", "quit", "flush", "read on", "linger", "shut", "cut"}

func (p phase) String() string { return phaseNames[p] }

func (a actions) String() string {
	var names []string
	for i, name := range actionNames {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// closingTable has every event in every phase: the phase after it, and what is to
// be done.
const closingTable = `
open      | close       | flushing  | begin, time, flush
open      | fail        | flushing  | begin, time, flush
open      | flushed     | open      |
open      | peer close  | received  | begin, time, queue
open      | written     | open      |
open      | read end    | gone      | begin, settle, cut
open      | read error  | gone      | begin, settle, cut
open      | write error | broken    | begin, time, break, read on
open      | deadline    | gone      | begin, settle, cut
open      | CloseNow    | gone      | begin, settle, quit, cut
open      | silence     | gone      | begin, settle, cut
open      | violation   | settled   | begin, time, queue, settle
open      | operator    | settled   | begin, time, queue, settle
open      | program     | settled   | begin, time, queue, settle

flushing  | close       | flushing  |
flushing  | fail        | flushing  |
flushing  | flushed     | queued    | queue
flushing  | peer close  | received  | queue
flushing  | written     | flushing  |
flushing  | read end    | gone      | settle, cut
flushing  | read error  | gone      | settle, cut
flushing  | write error | broken    | break
flushing  | deadline    | gone      | settle, cut
flushing  | CloseNow    | gone      | settle, quit, cut
flushing  | silence     | flushing  |
flushing  | violation   | settled   | queue, settle
flushing  | operator    | settled   | queue, settle
flushing  | program     | settled   | queue, settle

queued    | close       | queued    |
queued    | fail        | queued    |
queued    | flushed     | queued    |
queued    | peer close  | received  |
queued    | written     | sent      |
queued    | read end    | gone      | settle, cut
queued    | read error  | gone      | settle, cut
queued    | write error | broken    | break
queued    | deadline    | gone      | settle, cut
queued    | CloseNow    | gone      | settle, quit, cut
queued    | silence     | queued    |
queued    | violation   | settled   | settle
queued    | operator    | settled   | settle
queued    | program     | settled   | settle

sent      | close       | sent      |
sent      | fail        | sent      |
sent      | flushed     | sent      |
sent      | peer close  | lingering | settle, linger
sent      | written     | sent      |
sent      | read end    | gone      | settle, cut
sent      | read error  | gone      | settle, cut
sent      | write error | broken    | break
sent      | deadline    | gone      | settle, cut
sent      | CloseNow    | gone      | settle, quit, cut
sent      | silence     | sent      |
sent      | violation   | lingering | settle, linger
sent      | operator    | lingering | settle, linger
sent      | program     | lingering | settle, linger

broken    | close       | broken    |
broken    | fail        | broken    |
broken    | flushed     | broken    |
broken    | peer close  | lingering | settle, linger
broken    | written     | broken    |
broken    | read end    | gone      | settle, cut
broken    | read error  | gone      | settle, cut
broken    | write error | broken    | break
broken    | deadline    | gone      | settle, cut
broken    | CloseNow    | gone      | settle, quit, cut
broken    | silence     | broken    |
broken    | violation   | lingering | settle, linger
broken    | operator    | lingering | settle, linger
broken    | program     | lingering | settle, linger

received  | close       | received  |
received  | fail        | received  |
received  | flushed     | received  |
received  | peer close  | received  |
received  | written     | lingering | settle, linger
received  | read end    | received  |
received  | read error  | received  |
received  | write error | lingering | break, settle, linger
received  | deadline    | gone      | settle, cut
received  | CloseNow    | gone      | settle, quit, cut
received  | silence     | received  |
received  | violation   | settled   | settle
received  | operator    | settled   | settle
received  | program     | settled   | settle

settled   | close       | settled   |
settled   | fail        | settled   |
settled   | flushed     | settled   |
settled   | peer close  | settled   |
settled   | written     | lingering | linger
settled   | read end    | settled   |
settled   | read error  | settled   |
settled   | write error | lingering | break, linger
settled   | deadline    | gone      | cut
settled   | CloseNow    | gone      | quit, cut
settled   | silence     | settled   |
settled   | violation   | settled   |
settled   | operator    | settled   |
settled   | program     | settled   |

lingering | close       | lingering |
lingering | fail        | lingering |
lingering | flushed     | lingering |
lingering | peer close  | lingering |
lingering | written     | lingering |
lingering | read end    | gone      | shut
lingering | read error  | gone      | shut
lingering | write error | lingering | break
lingering | deadline    | gone      | cut
lingering | CloseNow    | gone      | quit, cut
lingering | silence     | lingering |
lingering | violation   | lingering |
lingering | operator    | lingering |
lingering | program     | lingering |

gone      | close       | gone      |
gone      | fail        | gone      |
gone      | flushed     | gone      |
gone      | peer close  | gone      |
gone      | written     | gone      |
gone      | read end    | gone      |
gone      | read error  | gone      |
gone      | write error | gone      | break
gone      | deadline    | gone      |
gone      | CloseNow    | gone      | quit
gone      | silence     | gone      |
gone      | violation   | gone      |
gone      | operator    | gone      |
gone      | program     | gone      |
`

// after returns a closing to which these events have happened, and what the last
// one asked for.
func after(events ...string) (m closing, do actions) {
	for _, e := range events {
		do = m.on(whatHappens[e])
	}
	return m, do
}

func TestClosing(t *testing.T) {
	rows := map[string]bool{}
	for line := range strings.Lines(closingTable) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		var cell [4]string
		for i, text := range strings.SplitN(line, "|", 4) {
			cell[i] = strings.TrimSpace(text)
		}
		rows[cell[0]+" "+cell[1]] = true
		from := phase(slices.Index(phaseNames, cell[0]))
		m, do := after(append(slices.Clone(wayTo[from]), cell[1])...)
		if m.phase.String() != cell[2] || do.String() != cell[3] {
			t.Errorf("%s, %s: now it is %v, and to do is %q; want %s and %q", cell[0], cell[1], m.phase, do, cell[2], cell[3])
		}
		if settled := do&doSettle != 0; settled != (from < phaseSettled && m.phase >= phaseSettled) {
			t.Errorf("%s, %s: it settles: %t", cell[0], cell[1], settled)
		}
	}
	for p, way := range wayTo {
		if m, _ := after(way...); m.phase != p {
			t.Errorf("%q leads to %v, not to %v", way, m.phase, p)
		}
		for e := range whatHappens {
			if !rows[fmt.Sprint(p, " ", e)] {
				t.Errorf("the table lacks %v, %s", p, e)
			}
		}
	}
}

// Once the status is final nothing changes it, and no phase comes twice.
func TestClosingSettlesOnce(t *testing.T) {
	var events []string
	for e := range whatHappens {
		events = append(events, e)
	}
	slices.Sort(events)
	var walk func(m closing, order []string)
	walk = func(m closing, order []string) {
		if len(order) == 5 {
			return
		}
		for _, e := range events {
			next, order := m, append(slices.Clone(order), e)
			do := next.on(whatHappens[e])
			switch over := m.phase >= phaseSettled; {
			case over && (next.status != m.status || do&(doSettle|doQueue|doBegin|doFlush|doReadOn) != 0):
				t.Fatalf("%q: after the end it does %q", order, do)
			case next.phase < m.phase:
				t.Fatalf("%q: from %v back to %v", order, m.phase, next.phase)
			case do&doBegin != 0 != (m.phase == phaseOpen && next.phase != phaseOpen):
				t.Fatalf("%q: from %v to %v, and to do is %q", order, m.phase, next.phase, do)
			}
			walk(next, order)
		}
	}
	walk(closing{}, nil)
}

// What the terminal event says, after what led to it.
func TestClosingStatus(t *testing.T) {
	failed := func(err error) error { return &result.ConnectionFailed{Err: err} }
	for name, test := range map[string]struct {
		events string
		want   result.Status
	}{
		"the peer closes":               {"peer close, written", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"we close":                      {"close, flushed, written, peer close", result.Status{Code: 1000, Reason: "theirs", Sent: 4000, Received: 1000}},
		"both close":                    {"close, flushed, peer close, written", result.Status{Code: 1000, Reason: "theirs", Sent: 4000, Received: 1000}},
		"the peer closes while we send": {"close, peer close, flushed, written", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"its Close, then no writing":    {"peer close, write error", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"its Close, then no time":       {"peer close, deadline", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"its Close, then CloseNow":      {"peer close, CloseNow", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"its Close, then a breach":      {"peer close, violation", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"its Close, then a failure":     {"peer close, program", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000, Err: errMine}},
		"no writing, then its Close":    {"write error, peer close", result.Status{Code: 1000, Reason: "theirs", ByPeer: true, Sent: 1000, Received: 1000}},
		"our Close, no writing, its":    {"close, flushed, write error, peer close", result.Status{Code: 1000, Reason: "theirs", Sent: 4000, Received: 1000}},
		"cut":                           {"read end", result.Status{Code: 1006, Err: failed(errEnd)}},
		"cut after our Close":           {"close, flushed, written, read error", result.Status{Code: 1006, Sent: 4000, Err: failed(errRead)}},
		"no answer":                     {"close, flushed, written, deadline", result.Status{Code: 1006, Sent: 4000, Err: failed(errLate)}},
		"no room to close":              {"close, deadline", result.Status{Code: 1006, Err: failed(errLate)}},
		"no writing, then no time":      {"write error, deadline", result.Status{Code: 1006, Err: failed(errWrite)}},
		"no writing, then cut":          {"write error, read error", result.Status{Code: 1006, Err: failed(errWrite)}},
		"no writing, then a breach":     {"write error, violation", result.Status{Code: 1006, Sent: 1002, Err: failed(errBreach)}},
		"no writing, then an operator":  {"write error, operator", result.Status{Code: 1006, Sent: 1011, Err: failed(errOp)}},
		"no writing, then the program":  {"write error, program", result.Status{Code: 1006, Sent: 1011, Err: errMine}},
		"no writing, then CloseNow":     {"write error, CloseNow", result.Status{Code: 1006, Err: failed(errGiven)}},
		"silence":                       {"silence", result.Status{Code: 1006, Err: failed(errSilent)}},
		"a breach":                      {"violation, written, peer close", result.Status{Code: 1006, Sent: 1002, Err: failed(errBreach)}},
		"a breach after our Close":      {"close, flushed, violation", result.Status{Code: 1006, Sent: 4000, Err: failed(errBreach)}},
		"an operator":                   {"operator", result.Status{Code: 1006, Sent: 1011, Err: failed(errOp)}},
		"the program":                   {"program", result.Status{Code: 1006, Sent: 1011, Err: errMine}},
		"the program fails":             {"fail, flushed, written, peer close", result.Status{Code: 1000, Reason: "theirs", Sent: 1011, Received: 1000, Err: errMine}},
		"it fails, and is cut":          {"fail, flushed, written, read end", result.Status{Code: 1006, Sent: 1011, Err: errMine}},
		"it fails, then a breach":       {"fail, violation", result.Status{Code: 1006, Sent: 1002, Err: errMine}},
		"it fails, then CloseNow":       {"fail, CloseNow", result.Status{Code: 1006, Err: errMine}},
		"it fails too late":             {"close, fail, flushed, written, peer close", result.Status{Code: 1000, Reason: "theirs", Sent: 4000, Received: 1000}},
		"the program, after Close":      {"close, program", result.Status{Code: 1006, Sent: 1011, Err: errMine}},
	} {
		m, _ := after(strings.Split(test.events, ", ")...)
		got, want := m.status, test.want
		if fmt.Sprintf("%T %v", got.Err, got.Err) != fmt.Sprintf("%T %v", want.Err, want.Err) {
			t.Errorf("%s: the error is %v, want %v", name, got.Err, want.Err)
		}
		if got.Err, want.Err = nil, nil; got != want || m.phase < phaseSettled {
			t.Errorf("%s: in the phase %v the status is %+v, want %+v", name, m.phase, got, want)
		}
	}
}

// A Close is a success if it has no code, 1000, one that the options name, or the
// one that the program gave to Close.
func TestClosingSuccess(t *testing.T) {
	for _, test := range []struct {
		name    string
		good    []result.StatusCode
		events  []closeEvent
		success bool
	}{
		{"1000", nil, []closeEvent{{kind: onPeerClose, code: 1000}, {kind: onWritten}}, true},
		{"no code", nil, []closeEvent{{kind: onPeerClose, code: 1005}, {kind: onWritten}}, true},
		{"1001", nil, []closeEvent{{kind: onPeerClose, code: 1001}, {kind: onWritten}}, false},
		{"1001 of the options", []result.StatusCode{1001}, []closeEvent{{kind: onPeerClose, code: 1001}, {kind: onWritten}}, true},
		{"our own", nil, []closeEvent{{kind: onClose, code: 1001}, {kind: onFlushed}, {kind: onWritten}, {kind: onPeerClose, code: 1001}}, true},
		{"our own, at the same time", nil, []closeEvent{{kind: onClose, code: 4000}, {kind: onFlushed}, {kind: onPeerClose, code: 4000}, {kind: onWritten}}, true},
		{"our own, which is not on its way yet", nil, []closeEvent{{kind: onClose, code: 4000}, {kind: onPeerClose, code: 4000}, {kind: onWritten}}, true},
		{"another one than ours", nil, []closeEvent{{kind: onClose, code: 4000}, {kind: onFlushed}, {kind: onWritten}, {kind: onPeerClose, code: 4001}}, false},
		{"ours, asked for after the peer's", nil, []closeEvent{{kind: onPeerClose, code: 4000}, {kind: onClose, code: 4000}, {kind: onWritten}}, false},
		{"the library's", nil, []closeEvent{{kind: onClose, code: 1011, err: errMine}, {kind: onFlushed}, {kind: onWritten}, {kind: onPeerClose, code: 1011}}, false},
		{"that of a panic", nil, []closeEvent{{kind: onPeerClose, code: 1011}, {kind: onProgram, code: 1011, err: errMine}}, false},
	} {
		m := closing{good: test.good}
		for _, e := range test.events {
			m.on(e)
		}
		if m.phase < phaseSettled || (m.status.Err == nil) != test.success {
			t.Errorf("%s: in the phase %v the error is %v; want a success: %t", test.name, m.phase, m.status.Err, test.success)
		}
	}
}

// Our Close frame says what there is to say: our own words, nothing but the peer's
// code in answer to its Close, and of a failure as much as there is room for.
func TestClosingFrame(t *testing.T) {
	long := strings.Repeat("é", 100)
	for name, test := range map[string]struct {
		events []closeEvent
		code   result.StatusCode
		reason string
	}{
		"ours":        {[]closeEvent{{kind: onClose, code: 4000, reason: "ours"}, {kind: onFlushed}}, 4000, "ours"},
		"an answer":   {[]closeEvent{{kind: onClose, code: 4000, reason: "ours"}, {kind: onPeerClose, code: 4001, reason: "theirs"}}, 4001, ""},
		"no code":     {[]closeEvent{{kind: onPeerClose, code: 1005}}, 1005, ""},
		"a breach":    {[]closeEvent{{kind: onViolation, code: 1007, reason: long, err: errBreach}}, 1007, long[:122]},
		"not in text": {[]closeEvent{{kind: onViolation, code: 1002, reason: "a\xFFb", err: errBreach}}, 1002, "a?b"},
	} {
		var m closing
		var do actions
		for _, e := range test.events {
			do = m.on(e)
		}
		if do&doQueue == 0 || m.status.Sent != test.code || m.reason != test.reason {
			t.Errorf("%s: to do is %q, with %d %q; want %d %q", name, do, m.status.Sent, m.reason, test.code, test.reason)
		}
	}
}
