package interop

import (
	"fmt"
	"slices"
	"strings"
)

// A note is what is to be said of a peer and a feature.
type note struct {
	lacks bool // the peer does not have the feature
	text  string
}

// A matrix is what was found: a row for each peer that was tried.
type matrix struct{ rows []row }

type row struct {
	peer    string
	version string
	cells   map[string]string // by feature
	notes   map[string]note
}

// found is what the tests of this process found.
var found matrix

const (
	cellOK     = "ok"
	cellFailed = "failed"
	cellLacks  = "-"
)

// score says how the test of a feature went.
func (r row) score(feature string, passed bool) {
	switch {
	case !passed:
		r.cells[feature] = cellFailed
	case r.notes[feature].lacks:
		r.cells[feature] = cellLacks
	default:
		r.cells[feature] = cellOK
	}
}

// complete reports whether all peers were tried with all features.
func (m matrix) complete() bool {
	all := len(m.rows) == len(peers)
	for _, r := range m.rows {
		all = all && len(r.cells) == len(features)
	}
	return all
}

// failed reports whether a feature did not work with a peer.
func (m matrix) failed() bool {
	for _, r := range m.rows {
		for _, cell := range r.cells {
			if cell == cellFailed {
				return true
			}
		}
	}
	return false
}

// footnotes are the notes in the order of the table, each once.
func (m matrix) footnotes() (all []string) {
	for _, r := range m.rows {
		for _, f := range features {
			if n := r.notes[f.name].text; n != "" && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return all
}

// cell returns what the table shows: where there is a note, with its number.
func (m matrix) cell(r row, feature string) string {
	cell := r.cells[feature]
	if i := slices.Index(m.footnotes(), r.notes[feature].text); i >= 0 && cell != "" {
		cell += fmt.Sprintf(" (%d)", i+1)
	}
	return cell
}

// markdown returns the table and the notes as the page has them.
func (m matrix) markdown() string {
	var b strings.Builder
	b.WriteString("| |")
	for _, f := range features {
		b.WriteString(" " + f.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(features)) + "\n")
	for _, r := range m.rows {
		b.WriteString("| " + r.peer + " |")
		for _, f := range features {
			b.WriteString(" " + m.cell(r, f.name) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, n := range m.footnotes() {
		fmt.Fprintf(&b, "%d. %s\n", i+1, n)
	}
	return b.String()
}

// print prints the table for a terminal, on its side, with the versions.
func (m matrix) print() {
	fmt.Println()
	for i, r := range m.rows {
		fmt.Printf("%c = %s %s\n", 'A'+i, r.peer, r.version)
	}
	fmt.Printf("\n%-18s", "")
	for i := range m.rows {
		fmt.Printf("%-10c", 'A'+i)
	}
	fmt.Println()
	for _, f := range features {
		fmt.Printf("%-18s", f.name)
		for _, r := range m.rows {
			fmt.Printf("%-10s", m.cell(r, f.name))
		}
		fmt.Println()
	}
	fmt.Println()
	for i, n := range m.footnotes() {
		fmt.Printf("%4s %s\n", fmt.Sprintf("(%d)", i+1), n)
	}
	fmt.Println("   - not supported by the peer")
}
