package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const (
	dayLength = 4000 // messages in a day at the market
	burst     = 100  // how many of them are played at a time

	statusNoSuchSymbol websocket.StatusCode = 4404
)

// A listing is a symbol, its price in cents, which walks at random, and its share
// of the trades in percent.
type listing struct {
	symbol string
	cents  float64
	share  int
}

// A record is a message, and the symbol that it is about: none, if it is for all.
type record struct{ symbol, text string }

// day makes the same day at a market each time. One trade in eight is an odd lot,
// and a few messages are damaged.
func day() (records []record, symbols []string) {
	random := rand.New(rand.NewPCG(2025, 7))
	clock := time.Date(2025, time.March, 14, 13, 30, 0, 0, time.UTC)
	listings := []listing{
		{"ACME", 18240, 28}, {"GLOBEX", 4312, 22}, {"INITECH", 985, 18},
		{"HOOLI", 51290, 14}, {"WONKA", 7735, 10}, {"TYRELL", 22610, 8},
	}
	for _, l := range listings {
		symbols = append(symbols, l.symbol)
	}
	for n := range dayLength {
		clock = clock.Add(time.Duration(random.ExpFloat64()*250) * time.Millisecond)
		at, drawn := 0, random.IntN(100)
		for drawn >= listings[at].share {
			drawn -= listings[at].share
			at++
		}
		l := &listings[at]
		l.cents *= math.Exp(random.NormFloat64() * 0.0004)
		size := 100 * (1 + int(random.ExpFloat64()*3))
		if random.IntN(8) == 0 {
			size = 1 + random.IntN(99)
		}
		r := record{l.symbol, fmt.Sprintf(`{"channel":"trades","venue":"XMPL","sequence":%d,"time":"%s","symbol":"%s","price":%.2f,"size":%d,"currency":"USD","conditions":["regular"]}`,
			n, clock.Format("2006-01-02T15:04:05.000Z"), l.symbol, l.cents/100, size)}
		if n%800 == 133 {
			r = record{text: r.text[:len(r.text)/2]}
		}
		records = append(records, r)
	}
	return records, symbols
}

// A market is a server that plays a day to its client: from the first request on,
// a burst at each tick, of which it sends the records that the client has asked
// for. It closes with 1000 at the end.
type market struct {
	records []record
	symbols []string
	tick    <-chan time.Time
	diary   io.Writer // is told of each request
}

// open serves a market on a port of the local machine.
func open(tick <-chan time.Time, diary io.Writer) (url string, shut func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	m := &market{tick: tick, diary: diary}
	m.records, m.symbols = day()
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
	requests := make(chan []string)
	go receive(ctx, cancel, c, requests) // ends with the connection
	m.play(ctx, c, requests)
}

// receive reads requests until the connection ends, and then cancels ctx.
func receive(ctx context.Context, cancel context.CancelFunc, c *websocket.Conn, requests chan<- []string) {
	defer cancel()
	for {
		var symbols []string
		if wsjson.Read(ctx, c, &symbols) != nil {
			return
		}
		select {
		case requests <- symbols:
		case <-ctx.Done():
			return
		}
	}
}

func (m *market) play(ctx context.Context, c *websocket.Conn, requests <-chan []string) {
	wanted := []string{""}
	tick := (<-chan time.Time)(nil) // before the first request, time stands still
	for left := m.records; len(left) > 0; {
		select {
		case symbols := <-requests:
			for _, symbol := range symbols {
				if !slices.Contains(m.symbols, symbol) {
					c.Close(statusNoSuchSymbol, "no such symbol: "+symbol)
					return
				}
			}
			fmt.Fprintln(m.diary, "market: somebody wants", strings.Join(symbols, ", "))
			wanted = append(wanted, symbols...)
			tick = m.tick
		case <-tick:
			for _, r := range left[:burst] {
				if slices.Contains(wanted, r.symbol) && c.Write(ctx, websocket.MessageText, []byte(r.text)) != nil {
					return
				}
			}
			left = left[burst:]
		case <-ctx.Done():
			return
		}
	}
	c.Close(websocket.StatusNormalClosure, "end of data")
}
