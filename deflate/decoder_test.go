package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// inflate gives the decoder the message cut into pieces of the given size, and
// returns what comes out.
func inflate(d *decoder, past *window, bits int, message []byte, piece int) (plain []byte, err error) {
	d.reset(past, 1<<bits)
	spill := func() {
		plain = append(plain, d.out[:d.n]...)
		past.add(d.out[:d.n])
		d.n = 0
	}
	for len(message) > 0 {
		n := min(piece, len(message))
		d.in, message = message[:n], message[n:]
		for {
			err := d.run()
			full := d.n == pieceSize
			spill()
			if err != nil {
				return plain, err
			}
			if !full {
				break
			}
		}
	}
	for {
		done, err := d.finish()
		spill()
		if done || err != nil {
			return plain, err
		}
	}
}

// The examples of RFC 7692, section 7.2.3, and what other implementations send.
var vectors = []struct {
	name    string
	message string
	plain   string
}{
	{"fixed code", "\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello"},
	{"the same again, copied", "\xf2\x00\x11\x00\x00", "Hello"},
	{"stored", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"},
	{"final block, and a byte in which the tail begins", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"},
	{"two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"},
	{"empty", "\x00", ""},
	{"empty, and not even a block", "", ""},
	{"final block at the end", "\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello"},
	{"final blocks, each a stream of its own", "\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "HelloHello"},
	{"tail not cut off", "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", "Hello"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		for piece := 1; piece <= len(v.message)+1; piece++ {
			past := window{size: 32 << 10}
			past.add([]byte("Hello")) // for the copy
			plain, err := inflate(new(decoder), &past, 15, []byte(v.message), piece)
			if err != nil || string(plain) != v.plain {
				t.Errorf("%s, pieces of %d: got %q, %v, want %q", v.name, piece, plain, err, v.plain)
			}
		}
	}
}

// A message that was cut anywhere is an error, and never hangs.
func TestTruncated(t *testing.T) {
	messages := map[string][]byte{}
	for _, v := range vectors[:2] {
		messages[v.name] = []byte(v.message)
	}
	messages["own code"] = compressed(corpus("records", 3000, 1)[0], 6)
	for name, m := range messages {
		for n := 1; n < len(m)-1; n++ {
			past := window{size: 32 << 10}
			past.add([]byte("Hello"))
			if plain, err := inflate(new(decoder), &past, 15, m[:n], 1+n/2); err == nil {
				t.Errorf("%s, %d bytes of %d: got %d bytes and no error", name, n, len(m), len(plain))
			}
		}
	}
}

// compressed returns p as the standard library compresses it.
func compressed(p []byte, level int) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		panic(err)
	}
	w.Write(p)
	w.Flush()
	return b.Bytes()[:b.Len()-len(tail)]
}

func TestDecoderAgainstStandardLibrary(t *testing.T) {
	plains := map[string][]byte{"noise": noise(40_000), "zeros": make([]byte, 70_000), "one": {7}}
	for kind := range corpora {
		for _, size := range []int{30, 1000, 40_000} {
			plains[fmt.Sprint(kind, size)] = corpus(kind, size, 1)[0]
		}
	}
	// Symbols whose codes need second tables.
	var deep []byte
	for c, n := byte(0), 1; n < 10_000; c, n = c+1, n*17/10+1 {
		deep = append(deep, bytes.Repeat([]byte{c, c * 7}, n)...)
	}
	rand.New(rand.NewPCG(9, 9)).Shuffle(len(deep), func(i, j int) { deep[i], deep[j] = deep[j], deep[i] })
	plains["deep"] = deep
	d := new(decoder)
	for name, plain := range plains {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6, 9} {
			for _, piece := range []int{1, 7, 8, 1000, 1 << 20} {
				got, err := inflate(d, &window{size: 32 << 10}, 15, compressed(plain, level), piece)
				if err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("%s, level %d, pieces of %d: got %d bytes, %v", name, level, piece, len(got), err)
				}
			}
		}
	}
}

// A bitString writes what no encoder does. Numbers are written from their
// lowest bit on, codes from the highest.
type bitString struct {
	p []byte
	n int
}

func (b *bitString) number(v, n int) *bitString {
	for i := range n {
		if b.n%8 == 0 {
			b.p = append(b.p, 0)
		}
		b.p[b.n/8] |= byte(v>>i&1) << (b.n % 8)
		b.n++
	}
	return b
}

func (b *bitString) code(s string) *bitString {
	for _, c := range s {
		b.number(int(c-'0'), 1)
	}
	return b
}

// own begins a block with these lengths in the code length code, by symbol.
func own(numLit, numDist int, lens map[int]int) *bitString {
	b := new(bitString).number(0b100, 3).number(numLit-257, 5).number(numDist-1, 5).number(19-4, 4)
	for _, sym := range lenOrder {
		b.number(lens[int(sym)], 3)
	}
	return b
}

func TestCorrupt(t *testing.T) {
	fixed := func() *bitString { return new(bitString).number(0b010, 3) }
	for name, test := range map[string]struct {
		message []byte
		want    error
	}{
		"reserved block type":         {new(bitString).number(0b110, 3).p, errBlockType},
		"stored complement":           {[]byte{0, 5, 0, 5, 0}, errStored},
		"287 lengths":                 {own(287, 1, nil).p, errLitCode},
		"31 distances":                {own(257, 31, nil).p, errDistCode},
		"code lengths oversubscribed": {own(257, 1, map[int]int{1: 1, 2: 1, 3: 1}).p, errLenCode},
		"code lengths incomplete":     {own(257, 1, map[int]int{1: 2, 2: 2, 3: 2}).p, errLenCode},
		"no code lengths":             {own(257, 1, nil).number(0, 30).p, errSymbol},
		"repeat of nothing":           {own(257, 1, map[int]int{16: 1, 1: 1}).code("1").number(0, 2).p, errRepeat},
		"repeat too often":            {own(257, 1, map[int]int{18: 1, 1: 1}).code("1").number(127, 7).code("1").number(127, 7).p, errRepeat},
		"literals oversubscribed":     {own(257, 1, map[int]int{18: 1, 1: 1}).code("000").code("1").number(127, 7).code("1").number(105, 7).code("0").p, errLitCode},
		"distances incomplete": {own(257, 2, map[int]int{18: 2, 1: 2, 2: 2, 0: 2}).
			code("01").code("01").code("11").number(127, 7).code("11").number(106, 7).code("00").code("10").p, errDistCode},
		"length symbol 286":   {fixed().code("11000110").p, errSymbol},
		"distance symbol 30":  {fixed().code("00110000").code("0000001").code("11110").p, errSymbol},
		"distance of nothing": {fixed().code("0000001").code("00000").p, errFarDistance},
		"distance too far":    {fixed().code("00110000").code("0000001").code("00001").p, errFarDistance},
	} {
		for _, piece := range []int{1, 100} {
			// With enough bytes behind it, the fast way sees it too.
			for _, behind := range []int{0, 20} {
				m := append(bytes.Clone(test.message), make([]byte, behind)...)
				_, err := inflate(new(decoder), &window{size: 32 << 10}, 15, m, piece)
				if err != test.want {
					t.Errorf("%s, %d bytes behind it, pieces of %d: got %v, want %v", name, behind, piece, err, test.want)
				}
			}
		}
	}
}

// The widest distance that the window allows is good, and one more is not,
// wherever what it reaches lies.
func TestWindowIsEnforced(t *testing.T) {
	for bits := minWindowBits; bits <= maxWindowBits; bits++ {
		for _, before := range []int{1, 1 << bits} { // in earlier messages
			for _, beyond := range []int{0, 1} {
				distance := 1<<bits + beyond
				history := noise(before)
				body := noise(distance - before + 50)[50:]
				past := window{size: 32 << 10}
				past.add(history)
				m := new(bitString)
				for p := body; len(p) > 0; {
					n := min(len(p), 0xFFFF)
					m.number(0, 8).number(n, 16).number(n^0xFFFF, 16)
					m.p = append(m.p, p[:n]...)
					m.n += 8 * n
					p = p[n:]
				}
				sym := distSymbol(uint32(distance - 1))
				if sym >= distSymbols {
					continue
				}
				extra := int(distExtra(sym))
				m.number(0b010, 3).code("0000001").code(fmt.Sprintf("%05b", sym)).number((distance-1)&(1<<extra-1), extra).code("0000000").number(0, 3)
				for _, behind := range []string{"", "\x00\x00\xff\xff\x00\x00\x00\xff\xff\x00\x00\x00\xff\xff\x00"} {
					message := append(bytes.Clone(m.p), behind...)
					got, err := inflate(new(decoder), &past, bits, message, 1<<20)
					all := append(bytes.Clone(history), got...)
					switch {
					case beyond == 1 && err != errFarDistance:
						t.Errorf("%d bits, distance %d: got error %v", bits, distance, err)
					case beyond == 0 && (err != nil || !bytes.Equal(all[len(all)-3:], all[len(all)-3-distance:][:3])):
						t.Errorf("%d bits, distance %d, %d before: got %v", bits, distance, before, err)
					}
					past = window{size: 32 << 10}
					past.add(history)
				}
			}
		}
	}
}

// FuzzDecoder compares with compress/flate, which ends at the first final
// block: up to there, both must agree on the bytes and on whether they are
// good.
func FuzzDecoder(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.message), 3)
	}
	for kind := range corpora {
		m := compressed(corpus(kind, 2000, 1)[0], 6)
		f.Add(m, 1)
		m[len(m)/2] ^= 4
		f.Add(m, 500)
	}
	f.Fuzz(func(t *testing.T, message []byte, piece int) {
		in := bytes.NewReader(message)
		want, wantErr := io.ReadAll(flate.NewReader(in))
		message = message[:len(message)-in.Len()]
		d := new(decoder)
		past := &window{size: 32 << 10}
		got, err := inflateUnfinished(d, past, message, max(piece, 1))
		var corrupt flate.CorruptInputError
		switch {
		case wantErr == io.ErrUnexpectedEOF:
			// It reads no symbol before it has the bits of the longest that
			// may come, so that it sees less of what is cut.
			if !bytes.HasPrefix(got, want) {
				t.Fatalf("%x, but %x", got, want)
			}
			return
		case errors.As(wantErr, &corrupt) && err == nil:
			// The decoder takes a symbol with its extra bits or not at all.
			if _, err := d.finish(); err == nil {
				t.Fatalf("no error, but %v", wantErr)
			}
		case wantErr == nil && (err != nil || !d.whole()):
			t.Fatalf("%v, whole is %t, but no error", err, d.whole())
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%x, but %x", got, want)
		}
	})
}

func inflateUnfinished(d *decoder, past *window, message []byte, piece int) (plain []byte, err error) {
	d.reset(past, 1<<maxWindowBits)
	for len(message) > 0 {
		n := min(piece, len(message))
		d.in, message = message[:n], message[n:]
		for full := true; full; {
			err = d.run()
			full = d.n == pieceSize
			plain = append(plain, d.out[:d.n]...)
			past.add(d.out[:d.n])
			d.n = 0
			if err != nil {
				return plain, err
			}
		}
	}
	return plain, nil
}

func TestCorruptErrorsSayWhat(t *testing.T) {
	if got := errFarDistance.Error(); !strings.Contains(got, "window") {
		t.Errorf("got %q", got)
	}
}
