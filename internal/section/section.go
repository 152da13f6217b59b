// Package section keeps the score of a conformance suite: it counts the cases
// of a package's tests by the section of the RFC that each of them belongs to,
// and prints them as a table.
//
//	var conformance = section.New("RFC 6455", map[string]string{"5.5.2": "Ping"})
//
//	func TestMain(m *testing.M) { conformance.Main(m) }
//
//	func TestPing(t *testing.T) {
//		conformance.Rule(t, "5.5.2", "of no bytes", func(t *testing.T) { ... })
//	}
package section

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

// Scores are those of one RFC. Count and Rule may be called from many
// goroutines.
type Scores struct {
	rfc    string
	titles map[string]string

	mu       sync.Mutex
	sections map[string]*score
}

// A score is one section's.
type score struct{ cases, failed int }

// New returns no scores yet. The titles are those of all sections that may be
// counted, by number.
func New(rfc string, titles map[string]string) *Scores {
	return &Scores{rfc: rfc, titles: titles, sections: map[string]*score{}}
}

// Count counts one case. A section without a title is a slip of the test's.
func (s *Scores) Count(section string, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.titles[section] == "" {
		panic(fmt.Sprintf("%s has no section %s among the titles", s.rfc, section))
	}
	if s.sections[section] == nil {
		s.sections[section] = &score{}
	}
	s.sections[section].cases++
	if failed {
		s.sections[section].failed++
	}
}

// Rule runs one case of a section in a bubble of its own, where waiting costs
// no time and where everything must have ended with the test.
func (s *Scores) Rule(t *testing.T, section, name string, test func(t *testing.T)) {
	t.Helper()
	s.Case(t, section, name, func(t *testing.T) { synctest.Test(t, test) })
}

// Case runs one case of a section, in real time.
func (s *Scores) Case(t *testing.T, section, name string, test func(t *testing.T)) {
	t.Helper()
	s.Count(section, !t.Run(section+" "+name, test))
}

// Main is a TestMain: it runs the tests, prints the table where the run is
// verbose, and fails if a goroutine is left over.
func (s *Scores) Main(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if testing.Verbose() {
		s.Print(os.Stdout)
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Print prints a line for each section of which a case was run.
func (s *Scores) Print(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	width := 0
	for name := range s.sections {
		names = append(names, name)
		width = max(width, len(s.titles[name]))
	}
	slices.Sort(names)
	line := func(name, title string, n score) {
		fmt.Fprintf(w, "%-9s %-*s %6d %6d\n", name, width, title, n.cases, n.failed)
	}
	var all score
	fmt.Fprintf(w, "\n%-9s %-*s %6s %6s\n", s.rfc, width, "", "cases", "failed")
	for _, name := range names {
		n := *s.sections[name]
		line(name, s.titles[name], n)
		all.cases += n.cases
		all.failed += n.failed
	}
	line("all", "", all)
	fmt.Fprintln(w)
}
