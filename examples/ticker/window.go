package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// A window is what a number of trades in a row amount to.
type window struct {
	from, to time.Time
	rows     map[string]*row // by symbol
}

// A row is what the trades of one symbol amount to.
type row struct {
	trades, volume int
	value          float64 // the sum of price times size
	high, low      float64
}

// aggregate makes a window out of a slice of trades, as BufferWithCount gives
// it.
func aggregate(_ context.Context, item any) (any, error) {
	trades := item.([]any)
	w := window{rows: map[string]*row{}}
	w.from = trades[0].(trade).Time
	for _, item := range trades {
		t := item.(trade)
		w.to = t.Time
		if w.rows[t.Symbol] == nil {
			w.rows[t.Symbol] = &row{high: t.Price, low: t.Price}
		}
		w.rows[t.Symbol].add(t)
	}
	return w, nil
}

func (r *row) add(t trade) {
	r.trades++
	r.volume += t.Size
	r.value += t.Price * float64(t.Size)
	r.high, r.low = max(r.high, t.Price), min(r.low, t.Price)
}

// vwap is the average price, weighted by volume.
func (r *row) vwap() float64 { return r.value / float64(r.volume) }

const clock = "15:04:05"

// print prints a heading and a line for each symbol.
func (w window) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s to %s %8s %9s %10s %8s %8s\n",
		w.from.Format(clock), w.to.Format(clock), "trades", "volume", "vwap", "high", "low")
	for _, symbol := range slices.Sorted(maps.Keys(w.rows)) {
		r := w.rows[symbol]
		fmt.Fprintf(out, "%-20s %8d %9d %10.4f %8.2f %8.2f\n", symbol, r.trades, r.volume, r.vwap(), r.high, r.low)
	}
}
