package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// kibibytes sends n numbered messages of 1 KiB.
func kibibytes(p *script.Peer, n int) {
	for i := range n {
		p.Sends(script.Text(fmt.Sprintf("%1024d", i)))
	}
}

// A queue holds so many bytes, whatever its size is, and all but Block deal with
// what follows as if it were full.
func TestQueueIsBoundedInBytes(t *testing.T) {
	tests := []struct {
		policy      stream.Policy
		bytes       int
		first, last int // that stand in the queue after 20 messages of 1 KiB
	}{
		{stream.Block, 4 << 10, 0, 3},
		{stream.Block, 1, 0, 0},
		{stream.Block, -1, 0, 19},
		{stream.DropOldest, 4 << 10, 16, 19},
		{stream.DropOldest, 1, 19, 19},
		{stream.DropNewest, 4<<10 + 1000, 0, 3},
		{stream.DropNewest, 1, 0, 0},
		{stream.Latest, 1, 19, 19},
		{stream.Fail, 4 << 10, 0, 3},
	}
	for _, test := range tests {
		bubble(t, fmt.Sprint(test), func(t *testing.T) {
			p := script.Client(t, nil)
			s := p.Conn.Chan(t.Context(), &stream.SubscribeOptions{Policy: test.policy, Bytes: test.bytes})
			kibibytes(p, 20)
			time.Sleep(time.Second)
			if n := len(s.C); n != test.last-test.first+1 {
				t.Errorf("%d messages stand in the queue, want %d", n, test.last-test.first+1)
			}
			for i := test.first; i <= test.last; i++ {
				if m := <-s.C; m.String() != fmt.Sprintf("%1024d", i) {
					t.Errorf("message %.1030q comes, want number %d", m.Data, i)
				}
			}
			if test.policy == stream.Block {
				late := time.Second / 16 // it looks again, later where nothing was taken for a second
				for i := test.last + 1; i < 20; i++ {
					start := time.Now()
					if m := <-s.C; m.String() != fmt.Sprintf("%1024d", i) || time.Since(start) > late {
						t.Errorf("message %.1030q comes after %v, want number %d", m.Data, time.Since(start), i)
					}
					late = time.Millisecond
				}
			}
			if want := test.policy == stream.Fail; want != errors.Is(s.Err(), stream.ErrSlow) {
				t.Errorf("it ended with %v", s.Err())
			}
		})
	}
}

// The default is 4 MiB, and one message or batch always fits.
func TestQueueHolds4MiB(t *testing.T) {
	bubble(t, "Chan", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 1 << 30})
		s := p.Conn.Chan(t.Context(), nil)
		for range 100 {
			p.Sends(script.Binary(make([]byte, 128<<10)))
		}
		time.Sleep(time.Second)
		if n := len(s.C); n != 32 {
			t.Errorf("%d messages of 128 KiB stand in the queue, want 32", n)
		}
		for range 100 {
			<-s.C
		}
		p.Sends(script.Binary(make([]byte, 8<<20)))
		if m := within(t, "a message of 8 MiB", s.C); len(m.Data) != 8<<20 {
			t.Errorf("a message of %d bytes comes", len(m.Data))
		}
	})
	bubble(t, "Batches", func(t *testing.T) {
		p := script.Client(t, &stream.Options{LookAhead: 1 << 30})
		s := p.Conn.Batches(t.Context(), &stream.SubscribeOptions{Size: 1000})
		for range 200 {
			p.Sends(script.Binary(make([]byte, 64<<10)))
		}
		time.Sleep(time.Second)
		bytes := 0
		for range len(s.C) { // more come as these are taken
			size := 0
			for _, m := range <-s.C {
				size += len(m.Data)
			}
			if bytes += size; size > 320<<10 {
				t.Errorf("a batch has %d bytes", size)
			}
		}
		if bytes > 4<<20 || bytes < 3<<20 {
			t.Errorf("%d bytes stand in the queue, want up to 4 MiB", bytes)
		}
	})
}

func TestPolicyString(t *testing.T) {
	for p, want := range map[stream.Policy]string{
		stream.Block: "Block", stream.DropOldest: "DropOldest", stream.DropNewest: "DropNewest", stream.Latest: "Latest", stream.Fail: "Fail",
		-1: "Policy(-1)", 5: "Policy(5)",
	} {
		if got := p.String(); got != want {
			t.Errorf("Policy %d is %s, want %s", int(p), got, want)
		}
	}
}

// A queue that cannot be is refused, as is a nil context.
func TestQueueArguments(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		p := script.Client(t, nil)
		for _, q := range []*stream.SubscribeOptions{{Size: -1}, {Size: 1<<24 + 1}, {Size: math.MaxInt}, {Policy: 5}, {Policy: -1}, {Timeout: -1}, {Policy: stream.Fail, Timeout: 1}} {
			isArgument(t, p.Conn.Chan(t.Context(), q).Err())
			isArgument(t, p.Conn.Batches(t.Context(), q).Err())
			isArgument(t, within(t, "an error item", p.Conn.Observable(q).Observe()).E)
			isArgument(t, within(t, "an error item", p.Conn.ObservableBatches(q).Observe()).E)
		}
		var none context.Context
		isArgument(t, p.Conn.Chan(none, nil).Err())
		isArgument(t, p.Conn.Batches(none, nil).Err())
		for _, err := range p.Conn.All(none) {
			isArgument(t, err)
		}
		_, _, err := p.Conn.Reader(none)
		isArgument(t, err)
		app := takeAll(p.Conn)
		p.Sends(script.Close(1000, ""))
		app.ends(t, nil)
		var status result.Status = status(t, p.Conn)
		if status.Err != nil {
			t.Error(status.Err)
		}
		synctest.Wait()
	})
}
