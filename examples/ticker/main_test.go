package main

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every trade is in the table that is due, also where the market does not pause.
func TestPlainText(t *testing.T) {
	symbols := []string{"ACME", "WONKA"}
	text, err := show(t, symbols...)
	if err != nil {
		t.Error(err)
	}
	if want := expected(symbols); text != want {
		t.Errorf("it shows\n%s\nwant\n%s", text, want)
	}
}

func TestNoSuchSymbol(t *testing.T) {
	text, err := show(t, "ACME", "NOPE")
	if want := `wsflow: closed with code 4404, reason "no such symbol"`; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
	if want := "\n0 bad messages; the end: 4404 \"no such symbol\"\n"; text != want {
		t.Errorf("it shows %q, want %q", text, want)
	}
}

// On a terminal each window takes the place of the last one, and prices have a course.
func TestLiveTable(t *testing.T) {
	var out strings.Builder
	live := &table{out: &out, live: true, past: map[string][]float64{}}
	for _, price := range []float64{10, 12, 11} {
		live.show(window{rows: map[string]*row{"ACME": {trades: 1, volume: 100, value: 100 * price, high: price, low: price}}})
	}
	heading := "\n\x1b[1m00:00:00 to 00:00:00   trades    volume    average     high      low\x1b[0m\n"
	line := "ACME                        1       100    "
	want := heading + line + "10.0000    10.00    10.00  \x1b[32m▁\x1b[0m\n" +
		"\x1b[3A\x1b[J" + heading + line + "12.0000    12.00    12.00  \x1b[32m▁█\x1b[0m\n" +
		"\x1b[3A\x1b[J" + heading + line + "11.0000    11.00    11.00  \x1b[31m▁█▄\x1b[0m\n"
	if out.String() != want {
		t.Errorf("it draws\n%q\nwant\n%q", out.String(), want)
	}
}

// show returns what the program prints, without pauses.
func show(t *testing.T, symbols ...string) (text string, err error) {
	t.Helper()
	tick := make(chan time.Time)
	close(tick)
	market := newMarket(tick)
	defer market.Close()
	var out strings.Builder
	err = watch(market.URL, symbols, &table{out: &out, past: map[string][]float64{}})
	return out.String(), err
}

// expected is what the day comes to, worked out in integers and without a pipeline.
func expected(symbols []string) string {
	var lots []trade
	bad := 0
	for i, t := range day() {
		switch {
		case !slices.Contains(symbols, t.Symbol):
		case i%800 == 133:
			bad++
		case t.Size >= 100:
			lots = append(lots, t)
		}
	}
	var b strings.Builder
	for w := range slices.Chunk(lots, 200) {
		clock := func(t trade) string { return t.Time.Format(time.TimeOnly) }
		fmt.Fprintf(&b, "\n%s to %s   trades    volume    average     high      low\n", clock(w[0]), clock(w[len(w)-1]))
		bySymbol := map[string][]trade{}
		for _, t := range w {
			bySymbol[t.Symbol] = append(bySymbol[t.Symbol], t)
		}
		for _, symbol := range slices.Sorted(maps.Keys(bySymbol)) {
			var volume, value int64
			var cents []int64
			for _, t := range bySymbol[symbol] {
				price := int64(math.Round(100 * t.Price))
				volume, value = volume+int64(t.Size), value+price*int64(t.Size)
				cents = append(cents, price)
			}
			fmt.Fprintf(&b, "%-20s %8d %9d %10s %8s %8s\n", symbol, len(cents), volume,
				big.NewRat(value, 100*volume).FloatString(4),
				big.NewRat(slices.Max(cents), 100).FloatString(2), big.NewRat(slices.Min(cents), 100).FloatString(2))
		}
	}
	fmt.Fprintf(&b, "\n%d bad messages; the end: 1000 \"end of data\"\n", bad)
	return b.String()
}
