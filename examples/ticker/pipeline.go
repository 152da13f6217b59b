package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/stream"
)

const (
	windowTrades = 400 // trades in a window
	roundLot     = 100 // the size from which on a trade counts
)

// pipeline makes items of type window out of those of type stream.Message. If
// the connection ends with an error, the trades since the last window are lost.
func pipeline(messages rxgo.Observable, seen *census) rxgo.Observable {
	return messages.
		Map(decode).
		Filter(seen.isRoundLot).
		BufferWithCount(windowTrades).
		Map(aggregate)
}

// A trade is what a message tells. One without a symbol is none.
type trade struct {
	Time   time.Time `json:"time"`
	Symbol string    `json:"symbol"`
	Price  float64   `json:"price"`
	Size   int       `json:"size"`
}

// decode makes a trade, or an answer, out of a message. It never returns an
// error: that would end the pipeline, but not the connection. A message that
// is neither becomes the zero trade.
func decode(_ context.Context, item any) (any, error) {
	m := item.(stream.Message)
	defer m.Release() // json keeps nothing of it

	var r struct {
		answer
		Data trade `json:"data"`
	}
	switch err := json.Unmarshal(m.Data, &r); {
	case err != nil:
		return trade{}, nil
	case r.Subscribed != nil:
		return r.answer, nil
	}
	return r.Data, nil
}

// A census counts what comes out of decode.
type census struct {
	diary                               *log.Logger
	roundLots, oddLots, answers, others atomic.Int64
}

// isRoundLot counts an item and lets the round lots pass. It runs on a
// goroutine of the pipeline.
func (c *census) isRoundLot(item any) bool {
	t, ok := item.(trade)
	switch {
	case !ok:
		c.answers.Add(1)
		c.diary.Printf("<- %v", item)
	case t.Symbol == "":
		c.others.Add(1)
	case t.Size < roundLot:
		c.oddLots.Add(1)
	default:
		c.roundLots.Add(1)
		return true
	}
	return false
}

// String tells the counts.
func (c *census) String() string {
	return fmt.Sprintf("%d round lots, %d odd lots, %d answers, %d other messages",
		c.roundLots.Load(), c.oddLots.Load(), c.answers.Load(), c.others.Load())
}
