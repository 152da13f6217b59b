package stream

import (
	"math"
	"math/rand/v2"
	"testing"
)

// What a gauge says of the bytes in a channel is what is in it, whoever has
// taken how much of it.
func TestGaugeCountsWhatIsInTheChannel(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		capacity, limit := 1+r.IntN(20), 1+r.IntN(2000)
		g := gauge{limit: int64(limit)}
		var in []int // the sizes of the items in the channel
		for step := range 3000 {
			size, sum := r.IntN(300), 0
			for _, n := range in {
				sum += n
			}
			want := len(in) == 0 || sum+size <= limit
			if got := g.fits(size, len(in)); got != want {
				t.Fatalf("seed %d, step %d: %d items with %d bytes of %d: %d more fit: %v", seed, step, len(in), sum, limit, size, got)
			}
			if small := g.small(size); small && sum+size > limit {
				t.Fatalf("seed %d, step %d: %d items with %d bytes of %d: %d more count as small", seed, step, len(in), sum, limit, size)
			}
			if want && len(in) < capacity && r.IntN(3) > 0 {
				g.add(size, capacity)
				in = append(in, size)
			}
			in = in[r.IntN(len(in)+1)/(1+r.IntN(4)):]
		}
	}
}

// A gauge without a limit keeps nothing.
func TestGaugeWithoutALimit(t *testing.T) {
	g := gauge{limit: -1}
	g.add(math.MaxInt, 1)
	if !g.fits(math.MaxInt, 1) || !g.small(math.MaxInt) || g.ends != nil {
		t.Errorf("it is %+v", g)
	}
}
