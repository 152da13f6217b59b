package stream_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wsflow/wsflow/internal/bufpool"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// A drive is how the bytes of a peer are driven through an inbound, and what the
// reference says of them.
type drive struct {
	reference
	burst, give bool
	bytes       []byte
	frames      []refFrame
	messages    []stream.Message
	breaches    []int // of which the consumer comes to one, if there are any
	controls    []stream.Control
	ends        []int64 // of the control frames
}

func newDrive(r reference, b []byte) *drive {
	d := &drive{reference: r, bytes: b}
	var end ending
	d.frames, end = r.frames(b)
	d.messages, _, d.breaches = r.messages(d.frames)
	closes := len(d.frames) > 0 && d.frames[len(d.frames)-1].opcode == 8 && d.frames[len(d.frames)-1].whole()
	if d.breaches == nil && end.breach != 0 && !closes { // what a Close says is not judged here
		d.breaches = []int{end.breach}
	}
	at := int64(0)
	for _, f := range d.frames {
		begin := at
		at += f.size(r.server)
		if f.opcode >= 8 && f.whole() {
			d.controls = append(d.controls, stream.Control{At: begin, Type: stream.Type(f.opcode), Data: string(f.payload)})
			d.ends = append(d.ends, at)
		}
	}
	return d
}

// size returns the bytes that the frame takes on the wire.
func (f refFrame) size(masked bool) int64 {
	n := 2 + int64(len(f.payload))
	switch {
	case f.claimed > 65535:
		n += 8
	case f.claimed > 125:
		n += 2
	}
	if masked {
		n += 4
	}
	return n
}

// run drives the bytes through an inbound and holds what comes to the reference.
func (d *drive) run(t *testing.T, how string, next func() stream.Step) {
	t.Helper()
	before := bufpool.Lent()
	in := &stream.Drive{
		Role: d.role(), Limit: int64(d.limit), Owned: d.owned, All: d.all,
		Assemble: d.whole, Burst: d.burst, Give: d.give, Bytes: d.bytes, Next: next,
	}
	in.Run()
	if in.Fault != "" {
		t.Fatalf("%s; %s: %s", how, d.way(), in.Fault)
	}
	if n := bufpool.Lent() - before; n != 0 {
		t.Fatalf("%s; %s: %d buffers are still lent", how, d.way(), n)
	}
	sameMessages(t, in.Messages, d.messages)
	if code := int(in.Code); code == 0 && d.breaches != nil || code != 0 && !slices.Contains(d.breaches, code) {
		t.Errorf("ended with %d, want one of %d", in.Code, d.breaches)
	}
	n := len(in.Controls)
	if n > len(d.controls) || !slices.Equal(in.Controls, d.controls[:n]) || d.breaches == nil && n < len(d.controls) {
		t.Errorf("control frames %v, want %v", in.Controls, d.controls)
	}
	for _, s := range in.Scans {
		i, found := slices.BinarySearch(d.ends, s.Received)
		if found {
			i++
		}
		if s.Controls != i {
			t.Errorf("%d control frames are known of the first %d bytes, want %d", s.Controls, s.Received, i)
		}
	}
	if t.Failed() {
		t.Fatalf("%s; %s", how, d.way())
	}
}

// way says how the bytes are taken.
func (d *drive) way() string {
	return fmt.Sprintf("%v, whole %v, burst %v, give %v", d.role(), d.whole, d.burst, d.give)
}

// parts returns steps that bring so many bytes each, the last of them for ever.
// Those of which ahead has the bit come while the consumer is away.
func parts(ahead, size int, sizes ...int) func() stream.Step {
	i := -1
	return func() stream.Step {
		i = min(i+1, len(sizes)-1)
		return stream.Step{N: sizes[i], Ahead: ahead>>i&1 != 0, Size: size, Least: min(size, 4096)}
	}
}

// randomly returns steps of all kinds, not too many for so many bytes.
func randomly(seed uint64, n int) func() stream.Step {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	most := n/100 + 1<<r.IntN(16)
	ahead := r.IntN(4)
	return func() stream.Step {
		s := stream.Step{N: r.IntN(most + 1), Ahead: r.IntN(4) < ahead, Size: 64 << r.IntN(11), LetGo: r.IntN(4) == 0}
		s.Least = min(s.Size, 4096)
		return s
	}
}

// inEveryWay drives the bytes through an inbound with every way of taking, for
// each split in two, byte by byte, and at random.
func (r reference) inEveryWay(t *testing.T, b []byte) {
	t.Helper()
	for kind := range 3 {
		r.whole = kind < 2
		d := newDrive(r, b)
		d.burst, d.give = kind == 0, kind == 1
		const whole = 1 << 30
		d.run(t, "in one piece", parts(0, 64<<10, whole))
		for i, n := range splits(len(b)) {
			size := []int{64, 4096, 8 << 10}[i%3]
			for ahead := range 4 {
				if stream.RaceDetector && ahead != i%4 {
					continue
				}
				d.run(t, fmt.Sprintf("split at %d, ahead %b, buffers of %d", n, ahead, size), parts(ahead, size, n, whole))
			}
		}
		if len(b) < 2_000 {
			for ahead := range 2 {
				d.run(t, "byte by byte", parts(ahead, 64, 1))
				d.run(t, "byte by byte", parts(ahead, 16<<10, 1))
			}
		}
		for seed := range uint64(3) {
			d.run(t, fmt.Sprint("at random, with the seed ", seed), randomly(seed, len(b)))
		}
	}
}

// splits returns every place to split so many bytes in two, or, if they are many,
// those at both ends and some between.
func splits(n int) (at []int) {
	const edge = 16
	step := 1 + n/7
	if n >= 20_000 {
		step = 1 + n/3
	}
	for i := 1; i < n; i++ {
		if n < 120 || n < 20_000 && (i < edge || n-i < edge) || i%step == 0 {
			at = append(at, i)
		}
	}
	return at
}

// drives holds an inbound to the reference with what the case sends.
func (in inbound) drives(t *testing.T) {
	r := reference{limit: 16 << 20}
	if in.opts != nil {
		if len(in.opts.Operators) > 0 {
			return
		}
		if in.opts.SizeLimit != 0 {
			r.limit = int(in.opts.SizeLimit)
		}
	}
	for _, s := range sides {
		t.Run(in.name+"/without a transport/"+s.name, func(t *testing.T) {
			r.server = s.role == stream.Server
			var b []byte
			for _, f := range in.sends {
				b = append(b, f.Bytes(r.server)...)
			}
			if stream.RaceDetector && len(b) > 1000 {
				t.Skip("the race detector makes minutes of long streams")
			}
			r.inEveryWay(t, b)
		})
	}
}

// Frames of the sizes at which reading changes: what is read behind them, and
// where they are read to.
func TestLargeFramesInEverySplit(t *testing.T) {
	for _, n := range []int{32<<10 - 1, 32 << 10, 64 << 10, 512 << 10, 512<<10 + 1} {
		if stream.RaceDetector && n > 64<<10 {
			break // it makes minutes of them
		}
		for _, s := range sides {
			t.Run(fmt.Sprint(n, "/", s.name), func(t *testing.T) {
				r := reference{server: s.role == stream.Server, limit: -1}
				largeIn(t, r, n)
			})
		}
	}
}

// largeIn drives large frames, alone and in fragments, around control frames.
func largeIn(t *testing.T, r reference, n int) {
	text := letters(n)
	var b []byte
	for _, f := range []script.Frame{
		script.Binary("before"), script.Text(text), script.Ping("1"),
		script.Text("a").Open(), script.Ping("2"), script.More(text), script.Ping("3"), script.Last("z"),
		script.Binary(text).Open(), script.Last(text), script.Close(1000, ""),
	} {
		b = append(b, f.Bytes(r.server)...)
	}
	for kind := range 3 {
		r.whole = kind < 2
		d := newDrive(r, b)
		d.burst, d.give = true, kind == 1
		for ahead := range 4 {
			for _, at := range []int{n / 2, n + 40} {
				d.run(t, fmt.Sprintf("split at %d, ahead %b", at, ahead), parts(ahead, 64<<10, at, 1<<30))
			}
		}
		for seed := range uint64(2) {
			d.run(t, fmt.Sprint("at random, with the seed ", seed), randomly(seed, len(b)))
		}
	}
}
