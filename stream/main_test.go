package stream_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if testing.Verbose() {
		conformance.print()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// conformance counts the cases of the conformance suite.
var conformance = scores{sections: map[string]*score{}}

// titles are the sections of RFC 6455 that a connection can meet once the
// opening handshake is done.
var titles = map[string]string{
	"5.1":   "Overview: who masks",
	"5.2":   "Base Framing Protocol",
	"5.3":   "Client-to-Server Masking",
	"5.4":   "Fragmentation",
	"5.5":   "Control Frames",
	"5.5.1": "Close",
	"5.5.2": "Ping",
	"5.5.3": "Pong",
	"5.6":   "Data Frames",
	"5.7":   "Examples",
	"5.8":   "Extensibility",
	"6.1":   "Sending Data",
	"6.2":   "Receiving Data",
	"7.1.1": "Close the WebSocket Connection",
	"7.1.2": "Start the WebSocket Closing Handshake",
	"7.1.3": "The WebSocket Closing Handshake is Started",
	"7.1.4": "The WebSocket Connection is Closed",
	"7.1.5": "The WebSocket Connection Close Code",
	"7.1.6": "The WebSocket Connection Close Reason",
	"7.1.7": "Fail the WebSocket Connection",
	"7.2":   "Abnormal Closures",
	"7.3":   "Normal Closure of Connections",
	"7.4.1": "Defined Status Codes",
	"7.4.2": "Reserved Status Code Ranges",
	"8.1":   "Handling of Errors in UTF-8-Encoded Data",
}

// A score is one section's.
type score struct{ cases, failed int }

type scores struct {
	mu       sync.Mutex
	sections map[string]*score
}

func (s *scores) count(section string, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if titles[section] == "" {
		panic("RFC 6455 has no section " + section)
	}
	if s.sections[section] == nil {
		s.sections[section] = &score{}
	}
	s.sections[section].cases++
	if failed {
		s.sections[section].failed++
	}
}

// print prints a line for each section that was run.
func (s *scores) print() {
	var names []string
	for name := range s.sections {
		names = append(names, name)
	}
	slices.Sort(names)
	var all score
	fmt.Printf("\nRFC 6455  %-46s %6s %6s\n", "", "cases", "failed")
	for _, name := range names {
		n := s.sections[name]
		fmt.Printf("%-9s %-46s %6d %6d\n", name, titles[name], n.cases, n.failed)
		all.cases += n.cases
		all.failed += n.failed
	}
	fmt.Printf("%-9s %-46s %6d %6d\n\n", "all", "", all.cases, all.failed)
}

// rule runs one case of a section in a bubble of its own, where waiting costs
// no time and where everything must have ended with the test.
func rule(t *testing.T, section, name string, test func(t *testing.T)) {
	t.Helper()
	passed := t.Run(section+" "+name, func(t *testing.T) { synctest.Test(t, test) })
	conformance.count(section, !passed)
}

// bubble runs a subtest in a bubble of its own.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}
