package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// A table prints windows, one below the other. On a terminal each takes the place
// of the last one, and has colours and the course of each price.
type table struct {
	out   io.Writer
	live  bool                 // whether out is a terminal
	lines int                  // of the last window
	past  map[string][]float64 // the average prices of each symbol, on a terminal
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

func (t *table) print(w window) {
	const clock = "15:04:05"
	var b strings.Builder
	if t.live && t.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\x1b[J", t.lines) // back to the first line, and clear
	}
	heading := fmt.Sprintf("%s to %s %8s %9s %10s %8s %8s",
		w.from.Format(clock), w.to.Format(clock), "trades", "volume", "average", "high", "low")
	fmt.Fprintf(&b, "\n%s\n", t.style("1", heading))
	symbols := slices.Sorted(maps.Keys(w.rows))
	for _, symbol := range symbols {
		r := w.rows[symbol]
		average := fmt.Sprintf("%10.4f", r.average())
		fmt.Fprintf(&b, "%-20s %8d %9d %s %8.2f %8.2f%s\n",
			symbol, r.trades, r.volume, t.colour(symbol, r.average(), average), r.high, r.low, t.course(symbol, r.average()))
	}
	t.lines = len(symbols) + 2
	io.WriteString(t.out, b.String())
}

// colour shows whether the price has risen or fallen since the last window.
func (t *table) colour(symbol string, price float64, text string) string {
	past := t.past[symbol]
	switch {
	case len(past) == 0 || price == past[len(past)-1]:
		return text
	case price > past[len(past)-1]:
		return t.style("32", text) // green
	}
	return t.style("31", text) // red
}

// course returns the prices of the last windows as bars, on a terminal.
func (t *table) course(symbol string, price float64) string {
	if !t.live {
		return ""
	}
	if t.past == nil {
		t.past = map[string][]float64{}
	}
	past := append(t.past[symbol], price)
	past = past[max(0, len(past)-20):]
	t.past[symbol] = past
	bars := []rune("▁▂▃▄▅▆▇█")
	low, high := slices.Min(past), slices.Max(past)
	course := []rune("  ")
	for _, p := range past {
		height := 0.5
		if high > low {
			height = (p - low) / (high - low)
		}
		course = append(course, bars[int(height*float64(len(bars)-1)+0.5)])
	}
	return string(course)
}

func (t *table) style(code, text string) string {
	if !t.live {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
