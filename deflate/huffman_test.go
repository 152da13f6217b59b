package deflate

import (
	"math/rand/v2"
	"testing"
)

// space returns how much of the code space the codes take, in codes of 15
// bits, and how many bits a text of these frequencies has in them.
func space(t *testing.T, codes []code, freq []uint16, limit int) (used, size int) {
	t.Helper()
	for sym, f := range freq {
		n := int(codes[sym].n)
		if (n > 0) != (f > 0) || n > limit {
			t.Fatalf("symbol %d of frequency %d has %d bits of at most %d", sym, f, n, limit)
		}
		if n > 0 {
			used += 1 << (maxCodeBits - n)
			size += n * int(f)
		}
	}
	return used, size
}

func TestBuildIsComplete(t *testing.T) {
	var b codeBuilder
	r := rand.New(rand.NewPCG(7, 8))
	for range 3000 {
		symbols := 2 + r.IntN(litSymbols-1)
		freq := make([]uint16, symbols)
		occur := 0
		for i := range freq {
			if r.IntN(3) > 0 {
				freq[i] = uint16(1) << r.IntN(15)
				occur++
			}
		}
		limit := maxCodeBits
		if symbols <= lenSymbols {
			limit = maxLenCodeBits
		}
		codes := make([]code, symbols)
		b.build(codes, freq, limit)
		if used, _ := space(t, codes, freq, limit); occur > 1 && used != 1<<maxCodeBits {
			t.Fatalf("%v: the code takes %d of the space, want %d", freq, used, 1<<maxCodeBits)
		}
	}
}

func TestBuildIsShortest(t *testing.T) {
	var b codeBuilder
	codes := make([]code, 6)
	freq := []uint16{45, 13, 12, 16, 9, 5}
	b.build(codes, freq, maxCodeBits)
	if _, size := space(t, codes, freq, maxCodeBits); size != 224 {
		t.Errorf("got %d bits, want 224, as in Huffman's own example", size)
	}
}

// Frequencies like Fibonacci's numbers make the deepest tree, with one more bit
// for each symbol.
func TestBuildKeepsToTheLimit(t *testing.T) {
	for _, limit := range []int{5, maxLenCodeBits, maxCodeBits} {
		var b codeBuilder
		freq := []uint16{1, 1}
		for len(freq) < 19 {
			freq = append(freq, freq[len(freq)-1]+freq[len(freq)-2])
		}
		codes := make([]code, len(freq))
		b.build(codes, freq, limit)
		if used, _ := space(t, codes, freq, limit); used != 1<<maxCodeBits {
			t.Errorf("limit %d: the code takes %d of the space", limit, used)
		}
	}
}

func TestBuildOfOneOrNone(t *testing.T) {
	var b codeBuilder
	codes := []code{{1, 1}, {2, 2}, {3, 3}}
	b.build(codes, []uint16{0, 9, 0}, maxCodeBits)
	if codes[0] != (code{}) || codes[1] != (code{0, 1}) || codes[2] != (code{}) {
		t.Errorf("one symbol: got %v", codes)
	}
	b.build(codes, []uint16{0, 0, 0}, maxCodeBits)
	if codes[1] != (code{}) {
		t.Errorf("no symbol: got %v", codes)
	}
}
