//go:build !race

// As in alloc_test.go, whose endless peer it needs.

package stream_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/stream"
)

// BenchmarkAll compares a loop over a connection with one over a Relay of it, and of
// that Relay in another one.
func BenchmarkAll(b *testing.B) {
	for _, size := range []int{16, 64, 512} {
		p := script.Client(b, nil)
		frames := p.Bytes(script.Binary(string(bytes.Repeat([]byte("x"), size))))
		frames = bytes.Repeat(frames, 64<<10/len(frames))
		for depth, name := range []string{"Conn", "Relay", "Relay of Relay"} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				c, err := stream.New(&endless{frames: frames}, stream.Client, nil)
				if err != nil {
					b.Fatal(err)
				}
				defer c.CloseNow(nil)
				var src stream.Source = c
				for range depth {
					r, f := stream.NewRelay(nil)
					if _, err := f.Join(src, stream.JoinOptions{}); err != nil {
						b.Fatal(err)
					}
					src = r
				}
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					for m, err := range src.All(ctx) {
						if err != nil {
							b.Fatal(err)
						}
						if n += len(m.Data); n >= 10000*size {
							n = 0
							break
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/message")
			})
		}
	}
}
