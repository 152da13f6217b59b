package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/stream"
)

const (
	windowTrades = 200 // trades in a window
	roundLot     = 100 // the size from which on a trade counts
)

// pipeline makes items of type window out of those of type stream.Message. A
// message that is no JSON becomes an error, which the pipeline hands on. If the
// connection ends with an error, the trades since the last window are lost.
func pipeline(messages rxgo.Observable) rxgo.Observable {
	goOn := rxgo.WithErrorStrategy(rxgo.ContinueOnError)
	return messages.
		Map(stream.Decoder[trade](json.Unmarshal), goOn).
		Filter(func(item any) bool { return item.(trade).Size >= roundLot }, goOn).
		BufferWithCount(windowTrades, goOn).
		Map(aggregate, goOn)
}

// A trade is what a message tells. What is no trade has no size.
type trade struct {
	Time   time.Time `json:"time"`
	Symbol string    `json:"symbol"`
	Price  float64   `json:"price"`
	Size   int       `json:"size"`
}

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
	w := window{from: trades[0].(trade).Time, rows: map[string]*row{}}
	for _, item := range trades {
		t := item.(trade)
		w.to = t.Time
		if w.rows[t.Symbol] == nil {
			w.rows[t.Symbol] = &row{high: t.Price, low: t.Price}
		}
		r := w.rows[t.Symbol]
		r.trades++
		r.volume += t.Size
		r.value += t.Price * float64(t.Size)
		r.high, r.low = max(r.high, t.Price), min(r.low, t.Price)
	}
	return w, nil
}

// average is the average price, weighted by volume.
func (r *row) average() float64 { return r.value / float64(r.volume) }
