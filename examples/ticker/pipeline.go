package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/stream"
)

// windows makes items of type window out of those of type stream.Message. A message
// that is no JSON becomes an error, behind which the pipeline goes on.
func windows(messages rxgo.Observable) rxgo.Observable {
	goOn := rxgo.WithErrorStrategy(rxgo.ContinueOnError)
	return messages.
		Map(stream.Decoder[trade](json.Unmarshal), goOn).
		Filter(func(item any) bool { return item.(trade).Size >= 100 }, goOn).
		BufferWithCount(200, goOn).
		Map(aggregate, goOn)
}

// A trade is what a message tells.
type trade struct {
	Time   time.Time
	Symbol string
	Price  float64
	Size   int
}

// A window is what a number of trades in a row amount to.
type window struct {
	from, to time.Time
	rows     map[string]*row // by symbol
}

// A row is what the trades in one symbol amount to.
type row struct {
	trades, volume   int
	value, high, low float64 // value is the sum of price times size
}

// aggregate makes a window out of a slice of trades, as BufferWithCount gives it.
func aggregate(_ context.Context, item any) (any, error) {
	trades := item.([]any)
	w := window{trades[0].(trade).Time, trades[len(trades)-1].(trade).Time, map[string]*row{}}
	for _, item := range trades {
		t := item.(trade)
		r := w.rows[t.Symbol]
		if r == nil {
			r = &row{high: t.Price, low: t.Price}
			w.rows[t.Symbol] = r
		}
		r.trades++
		r.volume += t.Size
		r.value += t.Price * float64(t.Size)
		r.high, r.low = max(r.high, t.Price), min(r.low, t.Price)
	}
	return w, nil
}
