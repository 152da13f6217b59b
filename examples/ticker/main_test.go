package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/big"
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

// A second subscription takes effect where the market is told of it.
func TestLaterSubscription(t *testing.T) {
	tick := make(chan time.Time)
	p := start(nil, tick)

	first := map[string]int{"ACME": 0, "GLOBEX": 0}
	bursts := roundLots(t, first)[windowTrades-1]/burst + 1
	for range bursts {
		p.tick(t, tick)
	}
	p.stderr.wait(t, p.ended, "market: somebody wants INITECH\n")
	first["INITECH"] = bursts * burst
	close(tick)

	wantEnd(t, p, 0, expected(t, first)+`[1000 "end of data"]`+"\n")
	want(t, "standard error", p.stderr.String(), "market: somebody wants ACME, GLOBEX\nmarket: somebody wants INITECH\n")
}

// A server that does not pause outruns its client.
func TestFullSpeed(t *testing.T) {
	p := start([]string{"HOOLI,WONKA,TYRELL,ACME,GLOBEX,INITECH"}, always())
	all := map[string]int{"HOOLI": 0, "WONKA": 0, "TYRELL": 0, "ACME": 0, "GLOBEX": 0, "INITECH": 0}
	wantEnd(t, p, 0, expected(t, all)+`[1000 "end of data"]`+"\n")
}

func TestNoSuchSymbol(t *testing.T) {
	p := start([]string{"ACME,NOPE"}, always())
	wantEnd(t, p, 1, `[4404 "no such symbol: NOPE"]`+"\n")
	want(t, "standard error", p.stderr.String(), `ticker: wsflow: closed with code 4404, reason "no such symbol: NOPE"`+"\n")
}

// The market sends its messages compressed.
func TestCompression(t *testing.T) {
	p := start([]string{"ACME"}, always())
	<-p.ended
	came := regexp.MustCompile(`(?m); (\d+) bytes came as (\d+)$`).FindStringSubmatch(p.stdout.String())
	if came == nil {
		t.Fatalf("no bytes are told of in %q", p.stdout.String())
	}
	plain, _ := strconv.Atoi(came[1])
	compressed, _ := strconv.Atoi(came[2])
	if plain < 50_000 || compressed < 10_000 || compressed > plain/2 {
		t.Errorf("%d bytes came as %d, want less than half of what they were", plain, compressed)
	}
}

// A request that is no JSON ends the connection.
func TestNonsense(t *testing.T) {
	url, shut, err := open(always(), io.Discard)
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

// On a terminal each window takes the place of the last one, and prices are red
// or green.
func TestLiveTable(t *testing.T) {
	var out strings.Builder
	live := &table{out: &out, live: true}
	for _, price := range []float64{10, 12, 11} {
		live.print(window{rows: map[string]*row{"ACME": {trades: 1, volume: 100, value: 100 * price, high: price, low: price}}})
	}
	heading := "\n\x1b[1m00:00:00 to 00:00:00   trades    volume    average     high      low\x1b[0m\n"
	line := "ACME                        1       100 "
	want(t, "what is drawn", out.String(), heading+
		line+"   10.0000    10.00    10.00  ▅\n"+
		"\x1b[3A\x1b[J"+heading+line+"\x1b[32m   12.0000\x1b[0m    12.00    12.00  ▁█\n"+
		"\x1b[3A\x1b[J"+heading+line+"\x1b[31m   11.0000\x1b[0m    11.00    11.00  ▁█▅\n")
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
		p.status = run(args, &table{out: &p.stdout}, &p.stderr, tick)
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
	bytesCame := regexp.MustCompile(`; \d+ bytes came as \d+`)
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

// The rest reads the day again, in another way than the program does, and computes
// in integers.

var tradeText = regexp.MustCompile(`^\{"channel":"trades","venue":"XMPL","sequence":\d+,"time":"[^"T]+T(\d\d:\d\d:\d\d)\.\d+Z","symbol":"([A-Z]+)","price":(\d+)\.(\d\d),"size":(\d+),"currency":"USD","conditions":\["regular"\]\}$`)

// A deal is a trade of the day; its price is in cents.
type deal struct {
	clock, symbol string
	cents, size   int64
}

// deals returns the messages of the day; nil stands for what is no trade.
var deals = sync.OnceValue(func() (all []*deal) {
	records, _ := day()
	for _, r := range records {
		m := tradeText.FindStringSubmatch(r.text)
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
})

// roundLots returns the numbers of the messages that are round lots of symbols
// that are subscribed to, each from some line on.
func roundLots(t *testing.T, from map[string]int) (lines []int) {
	t.Helper()
	for i, d := range deals() {
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
func expected(t *testing.T, from map[string]int) string {
	t.Helper()
	all, lines := deals(), roundLots(t, from)
	var b strings.Builder
	for window := range slices.Chunk(lines, windowTrades) {
		expectWindow(&b, all, window)
	}
	bad := 0
	for _, d := range all {
		if d == nil {
			bad++
		}
	}
	fmt.Fprintf(&b, "\n%d bad messages\n", bad)
	return b.String()
}

func expectWindow(b *strings.Builder, all []*deal, window []int) {
	bySymbol := map[string][]*deal{}
	for _, i := range window {
		bySymbol[all[i].symbol] = append(bySymbol[all[i].symbol], all[i])
	}
	fmt.Fprintf(b, "\n%s to %s   trades    volume    average     high      low\n", all[window[0]].clock, all[window[len(window)-1]].clock)
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
