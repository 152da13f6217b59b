package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

var symbols = []string{"ACME", "GLOBEX", "INITECH"}

// A market is a server that sends trades, and cuts each connection after a while.
type market struct {
	trades uint64        // behind the last one it closes
	every  time.Duration // there is a new trade
	life   time.Duration // of a connection

	opened time.Time
}

// open serves the market on a port of the local machine.
func (m *market) open() (url string, shut func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	m.opened = time.Now()
	server := &http.Server{Handler: m}
	go server.Serve(l) // ends with shut
	return "ws://" + l.Addr().String(), server.Close, nil
}

func (m *market) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	ctx, cancel := context.WithTimeout(context.Background(), m.life)
	defer cancel()
	var after uint64 // the last trade that the client has
	_, hello, err := c.Read(ctx)
	if _, bad := fmt.Sscanf(string(hello), token+" %d", &after); err != nil || bad != nil {
		c.Close(websocket.StatusPolicyViolation, "who are you?")
		return
	}
	if c.Write(ctx, websocket.MessageText, []byte("going on")) == nil && m.send(ctx, c, after) {
		c.Close(websocket.StatusNormalClosure, "the market is closed")
	}
}

// send sends the trades behind one. It reports whether the last one was sent.
func (m *market) send(ctx context.Context, c *websocket.Conn, after uint64) bool {
	tick := time.NewTicker(10 * m.every)
	defer tick.Stop()
	for {
		for now := min(uint64(time.Since(m.opened)/m.every), m.trades); after < now; {
			after++
			text, _ := json.Marshal(tradeOf(after))
			if c.Write(ctx, websocket.MessageText, text) != nil {
				return false
			}
		}
		if after == m.trades {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// tradeOf returns the trade with a number.
func tradeOf(n uint64) trade {
	i := int(n) % len(symbols)
	price := 100*float64(i+1) + 5*math.Sin(float64(n)/300+float64(i))
	return trade{Seq: n, Symbol: symbols[i], Price: math.Round(100*price) / 100}
}
