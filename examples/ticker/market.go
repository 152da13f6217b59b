package main

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// day returns the trades of a day, the same each time.
func day() (trades []trade) {
	random := rand.New(rand.NewPCG(2025, 7))
	clock := time.Date(2025, time.March, 14, 13, 30, 0, 0, time.UTC)
	symbols := []string{"ACME", "GLOBEX", "HOOLI", "INITECH", "WONKA"}
	prices := map[string]float64{"ACME": 182.40, "GLOBEX": 43.12, "HOOLI": 512.90, "INITECH": 29.85, "WONKA": 77.35}
	for range 4000 {
		clock = clock.Add(time.Duration(random.ExpFloat64()*250) * time.Millisecond)
		symbol := symbols[random.IntN(len(symbols))]
		prices[symbol] *= math.Exp(random.NormFloat64() * 0.001)
		cents := math.Round(100 * prices[symbol])
		trades = append(trades, trade{clock, symbol, cents / 100, 1 + int(random.ExpFloat64()*400)})
	}
	return trades
}

// newMarket starts a server. It reads which symbols its client wants, and plays the
// day: 100 trades at each tick. A few messages are damaged.
func newMarket(tick <-chan time.Time) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // Accept has answered
		}
		defer c.CloseNow()
		var symbols []string
		if wsjson.Read(r.Context(), c, &symbols) != nil || slices.Contains(symbols, "NOPE") {
			c.Close(4404, "no such symbol")
			return
		}
		ctx := c.CloseRead(context.Background()) // ends with the connection
		for i, t := range day() {
			if i%100 == 0 {
				<-tick
			}
			text, _ := json.Marshal(t)
			if i%800 == 133 {
				text = text[:len(text)/2]
			}
			if slices.Contains(symbols, t.Symbol) && c.Write(ctx, websocket.MessageText, text) != nil {
				return
			}
		}
		c.Close(websocket.StatusNormalClosure, "end of data")
	}))
}
