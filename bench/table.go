package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// print writes the medians and the verdicts for a reader.
func (r *report) print(w io.Writer) {
	for _, c := range r.Results {
		c.print(w)
	}
	fmt.Fprintf(w, "\n%s\n%s\n", r.Machine, r.Command)
	if len(r.Goals) > 0 {
		fmt.Fprintln(w, "\nGoals")
	}
	for _, v := range r.Goals {
		fmt.Fprintln(w, v)
	}
}

// print writes a table with a line for each library and a column for each figure
// that any of them has.
func (c *comparison) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s", c.Workload)
	if c.Connections > 0 {
		fmt.Fprintf(w, ", %d connections", c.Connections)
	}
	fmt.Fprintln(w)
	shown := c.figures()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer table.Flush()
	for _, f := range shown {
		fmt.Fprintf(table, "\t%s", f.heading())
	}
	for _, heading := range c.ratios() {
		fmt.Fprintf(table, "\t%s", heading)
	}
	fmt.Fprintln(table, "\t")
	for _, e := range c.Entries {
		fmt.Fprintf(table, "%-24s", e.Library)
		for _, f := range shown {
			fmt.Fprintf(table, "\t%s", f.write(e.value(f)))
		}
		c.printRatios(table, e)
		fmt.Fprintln(table, "\t")
	}
}

// figures are those that any library has.
func (c *comparison) figures() []figure {
	var shown []figure
	for _, f := range figures {
		for _, e := range c.Entries {
			if e.value(f) != 0 {
				shown = append(shown, f)
				break
			}
		}
	}
	return shown
}

// ratios are the headings of what printRatios writes.
func (c *comparison) ratios() []string {
	var all []string
	if c.BestPeer != "" {
		all = append(all, "of "+c.BestPeer)
	}
	if c.BestTuned != c.BestPeer {
		all = append(all, "of "+c.BestTuned)
	}
	if c.best(c.figure, before) != nil {
		all = append(all, "of before")
	}
	return all
}

func (c *comparison) printRatios(w io.Writer, e *entry) {
	if c.BestPeer != "" {
		fmt.Fprintf(w, "\t%.2f", e.OfBestPeer)
	}
	if c.BestTuned != c.BestPeer {
		fmt.Fprintf(w, "\t%.2f", e.OfBestTuned)
	}
	if e.OfBefore != 0 {
		fmt.Fprintf(w, "\t%.2f", e.OfBefore)
	}
}
