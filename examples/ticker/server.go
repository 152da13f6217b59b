package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

//go:generate go run generate.go

//go:embed trades.jsonl
var recording []byte

// burst is how many records of the recording are played at a time.
const burst = 100

// statusNoSuchSymbol closes a connection that subscribes to what is not in the
// recording.
const statusNoSuchSymbol websocket.StatusCode = 4404

// A request is what a client sends: the symbols that it wants from now on,
// beside those that it has asked for before.
type request struct {
	Subscribe []string `json:"subscribe"`
}

// An answer acknowledges a request.
type answer struct {
	Subscribed []string `json:"subscribed"`
}

// String is what the answer says.
func (a answer) String() string { return "subscribed to " + strings.Join(a.Subscribed, ", ") }

// A market is a server that plays the recording to its client: from the first
// request on, a burst at each tick, of which it sends the records whose symbol
// the client has asked for, and those that have none. It closes with 1000 at
// the end.
type market struct {
	records []record
	symbols map[string]bool
	tick    <-chan time.Time
}

// A record is a message with a line of the recording in it, and its symbol,
// which is empty where the line is not about a trade or is damaged.
type record struct {
	message []byte
	symbol  string
}

func newMarket(tick <-chan time.Time) *market {
	m := &market{symbols: map[string]bool{}, tick: tick}
	for line := range bytes.Lines(recording) {
		var trade struct{ Symbol string }
		if json.Unmarshal(line, &trade) == nil && trade.Symbol != "" {
			m.symbols[trade.Symbol] = true
		} else {
			trade.Symbol = "" // json sets fields before it finds an error
		}
		message := fmt.Appendf(nil, `{"channel":"trades","venue":"XMPL","sequence":%d,"data":%s}`, len(m.records), bytes.TrimSpace(line))
		m.records = append(m.records, record{message, trade.Symbol})
	}
	return m
}

// open serves the market on a port of the local machine.
func (m *market) open() (url string, shut func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: m}
	go s.Serve(l) // ends with shut
	return "ws://" + l.Addr().String(), s.Close, nil
}

func (m *market) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		return // Accept has answered
	}
	defer c.CloseNow()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	requests := make(chan request)
	go receive(ctx, cancel, c, requests) // ends with the connection
	m.play(ctx, c, requests)
}

// receive reads requests until the connection ends, and then cancels ctx.
func receive(ctx context.Context, cancel context.CancelFunc, c *websocket.Conn, requests chan<- request) {
	defer cancel()
	for {
		var r request
		if wsjson.Read(ctx, c, &r) != nil {
			return
		}
		select {
		case requests <- r:
		case <-ctx.Done():
			return
		}
	}
}

// play sends the recording.
func (m *market) play(ctx context.Context, c *websocket.Conn, requests <-chan request) {
	wanted := map[string]bool{"": true}
	tick := (<-chan time.Time)(nil) // before the first request, time stands still
	left := m.records
	for len(left) > 0 {
		select {
		case r := <-requests:
			if !m.subscribe(ctx, c, r, wanted) {
				return
			}
			tick = m.tick
		case <-tick:
			n := min(burst, len(left))
			if send(ctx, c, left[:n], wanted) != nil {
				return
			}
			left = left[n:]
		case <-ctx.Done():
			return
		}
	}
	c.Close(websocket.StatusNormalClosure, "end of data")
}

// subscribe answers a request. It returns false if that ends the connection.
func (m *market) subscribe(ctx context.Context, c *websocket.Conn, r request, wanted map[string]bool) bool {
	for _, symbol := range r.Subscribe {
		if !m.symbols[symbol] {
			c.Close(statusNoSuchSymbol, "no such symbol: "+symbol)
			return false
		}
		wanted[symbol] = true
	}
	return wsjson.Write(ctx, c, answer{r.Subscribe}) == nil
}

func send(ctx context.Context, c *websocket.Conn, records []record, wanted map[string]bool) error {
	for _, r := range records {
		if !wanted[r.symbol] {
			continue
		}
		if err := c.Write(ctx, websocket.MessageText, r.message); err != nil {
			return err
		}
	}
	return nil
}
