package deflate

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"go/build"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// The texts are files of the Go distribution, of which messages are slices, one
// after the other.
var texts = map[string]func() []byte{
	"english": english,
	"html":    sync.OnceValue(func() []byte { return toolchain("doc/go_spec.html") }),
	"go":      sync.OnceValue(func() []byte { return toolchain("src/net/http/server.go") }),
	"pdf":     sync.OnceValue(pdf),
}

var english = sync.OnceValue(func() []byte { return toolchain("src/testdata/Isaac.Newton-Opticks.txt") })

func toolchain(path string) []byte {
	p, err := os.ReadFile(filepath.Join(build.Default.GOROOT, path))
	if err != nil {
		panic(err)
	}
	return p
}

// pdf is built as PDF is: dictionaries, and streams that are compressed.
func pdf() []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n<< "+format, append([]any{len(offsets)}, args...)...)
	}
	for rest := english(); len(rest) > 0; {
		text := rest[:min(len(rest), 3000)]
		rest = rest[len(text):]
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(text)
		w.Close()
		n := len(offsets)
		object("/Type /Page\n/Parent 1 0 R\n/Resources %d 0 R\n/MediaBox [0 0 595 842]\n/Contents %d 0 R\n>>\nendobj\n", n/2, n+2)
		object("/Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n", z.Len(), z.Bytes())
	}
	fmt.Fprintf(&b, "xref\n0 %d\n", len(offsets))
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	return b.Bytes()
}

// corpus returns count messages of the kind, of size bytes each.
func corpus(kind string, size, count int) (messages [][]byte) {
	if text, is := texts[kind]; is {
		p := text()
		for i := range count {
			at := i * size % (len(p) - size)
			messages = append(messages, p[at:at+size])
		}
		return messages
	}
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
