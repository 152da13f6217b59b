package deflate

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/stream"
)

// discard is a sender's wire that counts bytes.
type discard struct{ n int }

func (d *discard) down(f stream.Frame) error {
	d.n += len(f.Payload)
	return nil
}

func benchmarkEach(b *testing.B, run func(b *testing.B, agreed Setup, messages [][]byte)) {
	for _, agreed := range []Setup{setup(Takeover, 15), setup(Takeover, 12), setup(NoTakeover, 15)} {
		for _, size := range []int{64, 256, 4 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("%v %d bits/%d", agreed.LocalContextMode, agreed.LocalMaxWindowBits, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				run(b, agreed, corpus("records", size, 30+100_000/size))
			})
		}
	}
}

// BenchmarkCompress reports how much of a message is left as ratio.
func BenchmarkCompress(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, agreed Setup, messages [][]byte) {
		var d discard
		s := newSender(&State{agreed: agreed}, Options{Threshold: -1}, d.down)
		plain := 0
		for i := 0; b.Loop(); i++ {
			m := messages[i%len(messages)]
			if err := s.out(whole(m)); err != nil {
				b.Fatal(err)
			}
			plain += len(m)
		}
		b.ReportMetric(float64(d.n)/float64(plain), "ratio")
	})
}

func BenchmarkInflate(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, agreed Setup, messages [][]byte) {
		w := new(capture)
		s := newSender(&State{agreed: agreed}, Options{Threshold: -1}, w.down)
		var packed []stream.Frame
		for _, m := range messages {
			if err := s.out(whole(m)); err != nil {
				b.Fatal(err)
			}
			f := whole(nil)
			for _, sent := range w.frames {
				f.RSV = sent.RSV
				f.Payload = append(f.Payload, sent.Payload...)
			}
			if w.frames = nil; f.RSV == rsv1 {
				packed = append(packed, f)
			}
		}
		if len(packed) == 0 {
			b.Skip("such messages are sent as they are")
		}
		r := newReceiver(s.state)
		for i := 0; b.Loop(); i++ {
			if i%len(packed) == 0 { // the stream begins anew
				r.release()
				r.window.clear()
			}
			for f := packed[i%len(packed)]; ; f = (stream.Frame{}) {
				_, more, err := r.in(f)
				if err != nil {
					b.Fatal(err)
				}
				if !more {
					break
				}
			}
		}
	})
}

// BenchmarkPools is what a message would cost if encoders and decoders were
// made for each.
func BenchmarkPools(b *testing.B) {
	m := corpus("records", 256, 1)[0]
	packed := bytes.Clone(compressed(m, 1))
	b.Run("encoder/pooled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e := encoders.Get().(*encoder)
			e.start(new(window), maxWindow, nil, 0)
			e.write(m, 0)
			e.release()
		}
	})
	b.Run("encoder/made", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e := new(encoder)
			e.start(new(window), maxWindow, nil, 0)
			e.write(m, 0)
		}
	})
	for name, get := range map[string]func() *decoder{
		"decoder/pooled": func() *decoder { return decoders.Get().(*decoder) },
		"decoder/made":   func() *decoder { return new(decoder) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d := get()
				d.reset(&d.window, maxWindow)
				d.in = packed
				if _, err := d.finish(); err != nil {
					b.Fatal(err)
				}
				if name == "decoder/pooled" {
					decoders.Put(d)
				}
			}
		})
	}
}
