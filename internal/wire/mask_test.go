package wire

import (
	"bytes"
	"crypto/subtle"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// maskNaive is the RFC's definition, written down.
func maskNaive(dst, src []byte, key uint32) uint32 {
	octets := [4]byte{byte(key), byte(key >> 8), byte(key >> 16), byte(key >> 24)}
	for i := range src {
		dst[i] = src[i] ^ octets[i%4]
	}
	return bits.RotateLeft32(key, -8*(len(src)%4))
}

// noise returns n bytes that are the same in every run.
func noise(n int) []byte {
	p := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(p)
	return p
}

func TestMask(t *testing.T) {
	const key = 0x3d21fa37
	src := noise(8 + 130)
	want := make([]byte, 130)
	for size := range 131 {
		for from := range 8 {
			p := src[from : from+size]
			next := maskNaive(want, p, key)
			for to := range 8 {
				// The bytes around dst must stay as they are.
				room := bytes.Repeat([]byte{0xaa}, to+size+40)
				got := Mask(room[to:], p, key)
				if got != next {
					t.Fatalf("%d bytes: key %#x, want %#x", size, got, next)
				}
				if !bytes.Equal(room[to:to+size], want[:size]) {
					t.Fatalf("%d bytes from offset %d to %d:\n got % x\nwant % x", size, from, to, room[to:to+size], want[:size])
				}
				if bytes.Count(room[:to], []byte{0xaa}) != to || bytes.Count(room[to+size:], []byte{0xaa}) != 40 {
					t.Fatalf("%d bytes from offset %d to %d: wrote outside of dst", size, from, to)
				}
			}
		}
	}
	if !bytes.Equal(src, noise(len(src))) {
		t.Error("src was written to")
	}
}

func TestMaskInPlace(t *testing.T) {
	const key = 0x3d21fa37
	for size := range 131 {
		for offset := range 8 {
			room := noise(offset + size + 8)
			want := bytes.Clone(room)
			maskNaive(want[offset:], want[offset:offset+size], key)
			p := room[offset : offset+size]
			Mask(p, p, key)
			if !bytes.Equal(room, want) {
				t.Fatalf("%d bytes at offset %d:\n got % x\nwant % x", size, offset, room, want)
			}
		}
	}
}

func TestMaskGoesOn(t *testing.T) {
	const key = 0x3d21fa37
	src := noise(80)
	want, got := make([]byte, 80), make([]byte, 80)
	maskNaive(want, src, key)
	for i := range 80 {
		for j := i; j <= 80; j++ {
			k := Mask(got, src[:i], key)
			k = Mask(got[i:], src[i:j], k)
			Mask(got[j:], src[j:], k)
			if !bytes.Equal(got, want) {
				t.Fatalf("pieces [:%d] [%d:%d] [%d:]:\n got % x\nwant % x", i, i, j, j, got, want)
			}
		}
	}
}

func TestMaskShortDst(t *testing.T) {
	for _, size := range []int{1, 4, 8, 33} {
		room := make([]byte, size)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d bytes into %d did not panic", size, size-1)
				}
			}()
			Mask(room[:size-1], noise(size), 1)
		}()
		if !bytes.Equal(room, make([]byte, size)) {
			t.Errorf("%d bytes into %d were written in part", size, size-1)
		}
	}
}

func TestMaskAllocs(t *testing.T) {
	p := noise(100)
	allocates(t, "Mask", func() { Mask(p, p, 1) })
	allocates(t, "Mask of 5 bytes", func() { Mask(p[:5], p[:5], 1) })
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("Hello"), uint32(0x3d21fa37), uint(2))
	f.Fuzz(func(t *testing.T, src []byte, key uint32, split uint) {
		want := make([]byte, len(src))
		next := maskNaive(want, src, key)
		got, at := make([]byte, len(src)), int(split%uint(len(src)+1))
		k := Mask(got, src[:at], key)
		k = Mask(got[at:], src[at:], k)
		if !bytes.Equal(got, want) || k != next {
			t.Fatalf("% x, key %#x, split at %d: % x, key %#x; want % x, key %#x", src, key, at, got, k, want, next)
		}
	})
}

// maskXOR masks with the assembly of crypto/subtle, which needs the key spread
// out to a slice.
func maskXOR(dst, src []byte, key uint32) uint32 {
	var pattern [512]byte
	spread := pattern[:min(len(src), len(pattern))]
	Mask(spread, spread, key)
	for p := src; len(p) > 0; {
		n := subtle.XORBytes(dst, p[:min(len(p), len(spread))], spread)
		p, dst = p[n:], dst[n:]
	}
	return bits.RotateLeft32(key, -8*(len(src)%4))
}

// BenchmarkMask shows why Mask is neither a plain loop nor crypto/subtle.
func BenchmarkMask(b *testing.B) {
	for _, size := range []int{3, 16, 64, 125, 1 << 10, 64 << 10} {
		for _, m := range []struct {
			name string
			mask func(dst, src []byte, key uint32) uint32
		}{{"words", Mask}, {"subtle", maskXOR}, {"naive", maskNaive}} {
			b.Run(fmt.Sprintf("size=%d/%s", size, m.name), func(b *testing.B) {
				p := noise(size + 2)[2:] // as after an unmasked header
				b.SetBytes(int64(size))
				for b.Loop() {
					m.mask(p, p, 0x3d21fa37)
				}
			})
		}
	}
}
