package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A second subscription takes effect where the server acknowledges it.
func TestLaterSubscription(t *testing.T) {
	tick := make(chan time.Time)
	p := start(nil, tick)

	first := map[string]int{"ACME": 0, "GLOBEX": 0}
	bursts := roundLots(t, first)[windowTrades-1]/burst + 1
	for range bursts {
		p.tick(t, tick)
	}
	p.stderr.wait(t, p.ended, "<- subscribed to INITECH\n")
	first["INITECH"] = bursts * burst
	close(tick)

	wantEnd(t, p, 0, expected(t, first, 2)+"[1000, end of data]\n")
	want(t, "standard error", p.stderr.String(), `ticker: -> {"subscribe":["ACME","GLOBEX"]}
ticker: <- subscribed to ACME, GLOBEX
ticker: -> {"subscribe":["INITECH"]}
ticker: <- subscribed to INITECH
`)
}

// A server that does not pause outruns its client.
func TestFullSpeed(t *testing.T) {
	p := start([]string{"HOOLI,WONKA,TYRELL,ACME,GLOBEX,INITECH"}, always())
	all := map[string]int{"HOOLI": 0, "WONKA": 0, "TYRELL": 0, "ACME": 0, "GLOBEX": 0, "INITECH": 0}
	wantEnd(t, p, 0, expected(t, all, 1)+"[1000, end of data]\n")
}

func TestNoSuchSymbol(t *testing.T) {
	p := start([]string{"ACME,NOPE"}, always())
	wantEnd(t, p, 1, "[4404, no such symbol: NOPE]\n")
	want(t, "standard error", p.stderr.String(), `ticker: -> {"subscribe":["ACME","NOPE"]}
ticker: wsflow: closed with code 4404, reason "no such symbol: NOPE"
`)
}

// The server sends all but the shortest messages compressed.
func TestCompression(t *testing.T) {
	p := start([]string{"ACME"}, always())
	<-p.ended
	came := regexp.MustCompile(`(?m)^(\d+) bytes came as (\d+)$`).FindStringSubmatch(p.stdout.String())
	if came == nil {
		t.Fatalf("no bytes are told of in %q", p.stdout.String())
	}
	plain, _ := strconv.Atoi(came[1])
	compressed, _ := strconv.Atoi(came[2])
	if plain < 100_000 || compressed < 10_000 || compressed > plain/2 {
		t.Errorf("%d bytes came as %d, want less than half of what they were", plain, compressed)
	}
}

// A request that is no JSON ends the connection.
func TestNonsense(t *testing.T) {
	url, shut, err := newMarket(always()).open()
	if err != nil {
		t.Fatal(err)
	}
	defer shut()
	c, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(t.Context(), websocket.MessageText, []byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Read(t.Context())
	want(t, "the close code", websocket.CloseStatus(err), websocket.StatusInvalidFramePayloadData)
}

// A program is one run.
type program struct {
	stdout, stderr output
	status         int
	ended          chan struct{}
}

func start(args []string, tick <-chan time.Time) *program {
	p := &program{ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.status = run(args, &p.stdout, &p.stderr, tick)
	}()
	return p
}

// tick lets the server play a burst.
func (p *program) tick(t *testing.T, tick chan<- time.Time) {
	t.Helper()
	select {
	case tick <- time.Time{}:
	case <-p.ended:
		t.Fatalf("the program ended before its time: %s", p.stderr.String())
	}
}

// always returns ticks without a pause.
func always() <-chan time.Time {
	tick := make(chan time.Time)
	close(tick)
	return tick
}

func wantEnd(t *testing.T, p *program, status int, stdout string) {
	t.Helper()
	<-p.ended
	want(t, "the exit status", p.status, status)
	bytesCame := regexp.MustCompile(`(?m)^\d+ bytes came as \d+\n`)
	want(t, "standard output", bytesCame.ReplaceAllString(p.stdout.String(), ""), stdout)
}

// output collects what is written, and can be waited for.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed and renewed at each Write
}

var _ io.Writer = (*output)(nil)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more != nil {
		close(o.more)
		o.more = nil
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) wait(t *testing.T, ended <-chan struct{}, part string) {
	t.Helper()
	for {
		o.mu.Lock()
		if o.more == nil {
			o.more = make(chan struct{})
		}
		more, text := o.more, o.text.String()
		o.mu.Unlock()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-more:
		case <-ended:
			t.Fatalf("the program ended, with %q but without %q", text, part)
		}
	}
}

// The rest reads the recording again, in another way than the program does, and
// computes in integers.

var tradeLine = regexp.MustCompile(`^\{"time":"[^"T]+T(\d\d:\d\d:\d\d)\.\d+Z","symbol":"([A-Z]+)","price":(\d+)\.(\d\d),"size":(\d+),"side":"(?:buy|sell)"\}$`)

// A deal is a trade of the recording; its price is in cents.
type deal struct {
	clock, symbol string
	cents, size   int64
}

// deals returns the lines of the recording; nil stands for what is no trade.
func deals(t *testing.T) (all []*deal) {
	t.Helper()
	data, err := os.ReadFile("trades.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		m := tradeLine.FindStringSubmatch(line)
		if m == nil {
			all = append(all, nil)
			continue
		}
		d := &deal{clock: m[1], symbol: m[2]}
		d.cents, _ = strconv.ParseInt(m[3]+m[4], 10, 64)
		d.size, _ = strconv.ParseInt(m[5], 10, 64)
		all = append(all, d)
	}
	return all
}

// roundLots returns the numbers of the lines that are round lots of symbols
// that are subscribed to, each from some line on.
func roundLots(t *testing.T, from map[string]int) (lines []int) {
	t.Helper()
	for i, d := range deals(t) {
		if d == nil || d.size < 100 {
			continue
		}
		if first, ok := from[d.symbol]; ok && i >= first {
			lines = append(lines, i)
		}
	}
	return lines
}

// expected is what the program should print, but for the bytes and the end.
func expected(t *testing.T, from map[string]int, answers int) string {
	t.Helper()
	all, lines := deals(t), roundLots(t, from)
	var b strings.Builder
	for window := range slices.Chunk(lines, 400) {
		expectWindow(&b, all, window)
	}
	odd, others := 0, 0
	for i, d := range all {
		if d == nil {
			others++
		} else if first, ok := from[d.symbol]; ok && i >= first && d.size < 100 {
			odd++
		}
	}
	fmt.Fprintf(&b, "\n%d round lots, %d odd lots, %d answers, %d other messages\n", len(lines), odd, answers, others)
	return b.String()
}

func expectWindow(b *strings.Builder, all []*deal, window []int) {
	bySymbol := map[string][]*deal{}
	for _, i := range window {
		bySymbol[all[i].symbol] = append(bySymbol[all[i].symbol], all[i])
	}
	fmt.Fprintf(b, "\n%s to %s   trades    volume       vwap     high      low\n", all[window[0]].clock, all[window[len(window)-1]].clock)
	for _, symbol := range slices.Sorted(maps.Keys(bySymbol)) {
		var volume, value int64
		var cents []int64
		for _, d := range bySymbol[symbol] {
			volume += d.size
			value += d.size * d.cents
			cents = append(cents, d.cents)
		}
		fmt.Fprintf(b, "%-20s %8d %9d %10s %8s %8s\n", symbol, len(cents), volume,
			big.NewRat(value, 100*volume).FloatString(4),
			big.NewRat(slices.Max(cents), 100).FloatString(2),
			big.NewRat(slices.Min(cents), 100).FloatString(2))
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is\n%v\nwant\n%v", what, got, want)
	}
}
