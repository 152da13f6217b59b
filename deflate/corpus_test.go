package deflate

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The tests' messages are JSON of two kinds, the same in each run: records
// with words, and a ticker, which is all digits.
var corpora = map[string]func(r *rand.Rand, size int) []byte{"records": record, "ticker": ticker}

var words = strings.Fields(`order trade price volume market limit cancel fill partial symbol account balance
	position margin equity alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november`)

func record(r *rand.Rand, size int) []byte {
	var b strings.Builder
	word := func() string { return words[r.IntN(len(words))] }
	fmt.Fprintf(&b, `{"type":"update","seq":%d,"items":[`, r.IntN(1e9))
	for b.Len() < size {
		fmt.Fprintf(&b, `{"id":%d,"user":"%s_%s","event":"%s","price":%d.%02d,"quantity":%d,"timestamp":%d,"tags":["%s","%s"],"ok":%t},`,
			r.IntN(1e6), word(), word(), word(), r.IntN(1e5), r.IntN(100), r.IntN(1000),
			1_700_000_000_000+r.Int64N(1e9), word(), word(), r.IntN(2) == 0)
	}
	return []byte(b.String()[:size])
}

func ticker(r *rand.Rand, size int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"e":"depthUpdate","E":%d,"s":"BTCUSDT","b":[`, 1_700_000_000_000+r.Int64N(1e7))
	for b.Len() < size {
		fmt.Fprintf(&b, `["%d.%02d","%d.%05d"],`, 42000+r.IntN(300), r.IntN(100), r.IntN(5), r.IntN(1e5))
	}
	return []byte(b.String()[:size])
}

// corpus returns count messages of the kind, of size bytes each.
func corpus(kind string, size, count int) (messages [][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for range count {
		messages = append(messages, corpora[kind](r, size))
	}
	return messages
}

// noise returns bytes that do not compress.
func noise(size int) []byte {
	r := rand.New(rand.NewPCG(3, 4))
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}
