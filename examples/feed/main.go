// Feed follows a market whose server dies every second, and misses nothing.
//
//	go run ./examples/feed
//
// It starts the server and follows it over one connection after another. On each,
// before anything else, it logs in and asks to go on behind the last trade that it has
// seen. On a terminal it shows a table; anywhere else it prints a line for each gap.
// After five seconds the market closes, and the counts tell whether a trade is
// missing, came twice or out of order. The exit status is 1 then.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/stream"
)

const token = "let me in"

func main() {
	m := &market{trades: 5000, every: time.Millisecond, life: time.Second}
	if err := run(context.Background(), m, newScreen(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "feed:", err)
		os.Exit(1)
	}
}

// run opens the market and follows it until it closes.
func run(ctx context.Context, m *market, out *screen) error {
	url, shut, err := m.open()
	if err != nil {
		return err
	}
	defer shut()
	f := &follower{prices: map[string]float64{}}
	if err := f.follow(ctx, url, out); err != nil {
		return err
	}
	fmt.Fprintf(out.out, "%d trades over %d connections, %d out of order; %d gaps, %d without a loss\n", f.last, f.epoch, f.wrong, f.gaps, f.continued)
	if f.wrong > 0 || f.last != m.trades {
		return fmt.Errorf("%d trades came out of order, and the last one is %d of %d", f.wrong, f.last, m.trades)
	}
	return nil
}

// A follower is what is known of the market.
type follower struct {
	cursor uint64 // the last trade that came: the next connection begins behind it

	prices    map[string]float64
	last      uint64 // the last trade that was taken
	wrong     int    // trades that did not follow on the one before
	epoch     uint64 // of the last trade
	gaps      int
	continued int // gaps in which nothing was missed
	down      time.Duration
}

// follow takes trades until the market closes.
func (f *follower) follow(ctx context.Context, url string, out *screen) error {
	src := dial.Redial(ctx, url, nil, &redial.Options{
		Open:   f.login,
		Seen:   func(m stream.Message) { f.cursor = decode(m).Seq },
		Retry:  redial.Backoff(100*time.Millisecond, time.Second),
		Stable: 500 * time.Millisecond, // this server is not expected to last
	})
	defer src.CloseNow(nil)
	for m, err := range src.All(ctx) {
		if err != nil {
			return err
		}
		if gap := m.Gap(); gap != nil {
			f.gap(gap)
			out.gap(f, gap)
			continue
		}
		f.epoch = m.Origin().Epoch
		t := decode(m)
		if t.Seq != f.last+1 {
			f.wrong++
		}
		f.last, f.prices[t.Symbol] = t.Seq, t.Price
		out.table(f)
	}
	return nil
}

// login is called on each new connection, before anything else happens on it.
func (f *follower) login(ctx context.Context, conn *stream.Conn, _ *stream.Gap) (continued bool, err error) {
	if err := conn.SendText(ctx, fmt.Sprintf("%s %d", token, f.cursor)); err != nil {
		return false, err
	}
	answer, err := conn.Receive(ctx)
	return answer.String() == "going on", err
}

// gap takes in that a connection was lost, or that the next one is open.
func (f *follower) gap(gap *stream.Gap) {
	if gap.To == 0 {
		f.gaps++
		return
	}
	f.down += gap.Down
	if gap.Continued {
		f.continued++
	}
}

// A trade is what the market sends.
type trade struct {
	Seq    uint64
	Symbol string
	Price  float64
}

func decode(m stream.Message) (t trade) {
	json.Unmarshal(m.Data, &t)
	return t
}

// A screen shows a follower: as a table on a terminal, by lines elsewhere.
type screen struct {
	out   io.Writer
	live  bool
	shown time.Time // when the table was
}

func newScreen(f *os.File) *screen {
	info, err := f.Stat()
	return &screen{out: f, live: err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"}
}

// table shows the table, a few times a second.
func (s *screen) table(f *follower) {
	if !s.live || time.Since(s.shown) < 100*time.Millisecond {
		return
	}
	if !s.shown.IsZero() {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", 2+len(symbols)) // back to the first line, and clear
	}
	s.shown = time.Now()
	fmt.Fprintf(s.out, "connection %d, %d gaps, %d without a loss, down for %v\n", f.epoch, f.gaps, f.continued, f.down.Round(time.Millisecond))
	fmt.Fprintf(s.out, "trade      %7d\n", f.last)
	for _, symbol := range symbols {
		fmt.Fprintf(s.out, "%-10s %7.2f\n", symbol, f.prices[symbol])
	}
}

// gap shows, where there is no table, that a gap begins or ends.
func (s *screen) gap(f *follower, gap *stream.Gap) {
	if !s.live {
		fmt.Fprintf(s.out, "trade %4d: %v\n", f.last, gap)
	}
}
