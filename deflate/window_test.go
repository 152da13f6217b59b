package deflate

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestWindow(t *testing.T) {
	for _, size := range []int{256, 1024, 4096, 24576, 32768} {
		r := rand.New(rand.NewPCG(5, 6))
		w := window{size: size}
		var all []byte
		for range 300 {
			p := noise(r.IntN([]int{2, 30, 3000, 2 * size}[r.IntN(4)]))
			w.add(p)
			all = append(all, p...)
			if want := min(len(all), size); w.n != want || len(w.buf) > size {
				t.Fatalf("size %d after %d bytes: %d held in %d, want %d", size, len(all), w.n, len(w.buf), want)
			}
			back := r.IntN(w.n + 1)
			got := make([]byte, r.IntN(back+1))
			w.read(got, back)
			if want := all[len(all)-back:][:len(got)]; !bytes.Equal(got, want) {
				t.Fatalf("size %d: %d bytes from %d back are not what was added", size, len(got), back)
			}
		}
		w.clear()
		w.add([]byte("again"))
		got := make([]byte, 5)
		if w.n > 0 {
			w.read(got, w.n)
		}
		if string(got) != "again" {
			t.Errorf("size %d, cleared: got %q", size, got)
		}
	}
}

func TestWindowGrowsWithItsContent(t *testing.T) {
	w := window{size: 32 << 10}
	if w.add(make([]byte, 100)); len(w.buf) != 1<<10 {
		t.Errorf("100 bytes take %d", len(w.buf))
	}
	if w.add(make([]byte, 925)); len(w.buf) != 2<<10 {
		t.Errorf("1,025 bytes take %d", len(w.buf))
	}
}
