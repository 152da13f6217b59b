package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// A table shows windows, one below the other. On a terminal each takes the place of
// the last one, and has the course of each price.
type table struct {
	out   io.Writer
	live  bool                 // whether out is a terminal
	lines int                  // of the last window
	past  map[string][]float64 // the average prices of each symbol
}

func newTable(f *os.File) *table {
	info, err := f.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	return &table{out: f, live: terminal, past: map[string][]float64{}}
}

func (t *table) show(w window) {
	heading := fmt.Sprintf("%s to %s %8s %9s %10s %8s %8s",
		w.from.Format("15:04:05"), w.to.Format("15:04:05"), "trades", "volume", "average", "high", "low")
	if t.live {
		heading = "\x1b[1m" + heading + "\x1b[0m" // bold
		if t.lines > 0 {
			fmt.Fprintf(t.out, "\x1b[%dA\x1b[J", t.lines) // back to the first line, and clear
		}
	}
	lines := []string{"", heading}
	for _, symbol := range slices.Sorted(maps.Keys(w.rows)) {
		r := w.rows[symbol]
		average := r.value / float64(r.volume)
		line := fmt.Sprintf("%-20s %8d %9d %10.4f %8.2f %8.2f", symbol, r.trades, r.volume, average, r.high, r.low)
		t.past[symbol] = append(t.past[symbol], average)
		if t.live {
			line += "  " + course(t.past[symbol])
		}
		lines = append(lines, line)
	}
	t.lines = len(lines)
	fmt.Fprintln(t.out, strings.Join(lines, "\n"))
}

// course draws prices as bars: red if the last one has fallen, otherwise green.
func course(prices []float64) (drawn string) {
	low, high := slices.Min(prices), slices.Max(prices)
	for _, p := range prices {
		drawn += string([]rune("▁▂▃▄▅▆▇█")[int(7*(p-low)/max(high-low, 0.0001))])
	}
	if n := len(prices); n > 1 && prices[n-1] < prices[n-2] {
		return "\x1b[31m" + drawn + "\x1b[0m"
	}
	return "\x1b[32m" + drawn + "\x1b[0m"
}
