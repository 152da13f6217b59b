package stream_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsflow/wsflow/stream"
)

// A load sends numbered messages of all sizes from one end of a connection to
// all kinds of takers at the other.
type load struct {
	t          *testing.T
	r          *rand.Rand
	seed       uint64
	send, recv *stream.Conn
	total      int
}

// What comes is whole and in order, for takers that come and go, stall, pause,
// keep and release their messages.
func TestUnderLoad(t *testing.T) {
	for seed := range uint64(9) {
		bubble(t, fmt.Sprint(seed), func(t *testing.T) {
			l := newLoad(t, seed)
			defer l.send.CloseNow(nil)
			defer l.recv.CloseNow(nil)
			if seed%3 == 0 {
				l.alone()
			} else {
				l.shared()
			}
			for _, c := range []*stream.Conn{l.send, l.recv} {
				if s := status(t, c); s.Err != nil || s.Code != 1000 {
					t.Errorf("the status is %+v", s)
				}
			}
		})
	}
}

func newLoad(t *testing.T, seed uint64) *load {
	l := &load{t: t, seed: seed, r: rand.New(rand.NewPCG(seed, 6455)), total: 100}
	o := &stream.Options{LookAhead: 1 << (10 + l.r.IntN(10)), FragmentSize: 1 << (8 + l.r.IntN(10)), CloseTimeout: time.Hour}
	ours, theirs := net.Pipe()
	var rwc io.ReadWriteCloser = ours
	if l.r.IntN(2) == 0 {
		rwc = struct{ io.ReadWriteCloser }{ours} // without deadlines
	}
	role := stream.Role(l.r.IntN(2))
	var err, err2 error
	l.recv, err = stream.New(rwc, role, o)
	l.send, err2 = stream.New(theirs, stream.Server-role, o)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return l
}

// numbered makes a message that shows its number and each byte's place.
func numbered(n int, r *rand.Rand) []byte {
	size := r.IntN(300)
	switch r.IntN(8) {
	case 0:
		size = []int{0, 117, 118, 65527, 65528, 1016, 1017, 16376}[r.IntN(8)]
	case 1:
		size = r.IntN(100_000)
	}
	b := make([]byte, 8+size)
	binary.BigEndian.PutUint64(b, uint64(n))
	for i := range b[8:] {
		b[8+i] = byte(n + i)
	}
	return b
}

// number returns the number of a message, all bytes of which must be its own.
func (l *load) number(b []byte) int {
	if len(b) < 8 {
		l.t.Errorf("a message has %d bytes", len(b))
		return -1
	}
	n := int(binary.BigEndian.Uint64(b))
	for i, c := range b[8:] {
		if c != byte(n+i) {
			l.t.Errorf("message %d is corrupt at %d of %d bytes", n, 8+i, len(b))
			break
		}
	}
	return n
}

// sends sends all messages in one of the ways there are, and closes.
func (l *load) sends() {
	r := rand.New(rand.NewPCG(l.seed, 1))
	sink := l.send.Sink(ctx, nil)
	defer close(sink)
	for i := range l.total {
		b := numbered(i, r)
		switch l.seed % 4 {
		case 0:
			sink <- bin(b).Clone()
		case 1:
			if w, err := l.send.Writer(ctx, stream.Binary); err == nil {
				io.Copy(w, bytes.NewReader(b))
				w.Close()
			}
		default:
			l.send.SendBinary(ctx, b)
		}
		if i%20 == 0 {
			time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
		}
	}
	l.send.Close(1000, "")
}

// shared takes with two subscribers that get all, beside others that do not.
func (l *load) shared() {
	resume := l.recv.Pause()
	one := l.recv.Chan(ctx, &stream.SubscribeOptions{Size: 1 + l.r.IntN(50)})
	many := l.recv.Batches(ctx, &stream.SubscribeOptions{Size: 1 + l.r.IntN(5)})
	resume()
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	var all, others sync.WaitGroup
	go l.sends()
	go func() {
		for range l.send.All(ctx) { // answers the Close
		}
	}()
	all.Go(func() { l.takesAll(one) })
	all.Go(func() { l.takesBatches(many) })
	for i := range 3 {
		others.Go(func() { l.comesAndGoes(stop, rand.New(rand.NewPCG(l.seed, uint64(i)))) })
	}
	all.Wait()
	cancel()
	others.Wait()
}

func (l *load) takesAll(s *stream.Subscription[stream.Message]) {
	r := rand.New(rand.NewPCG(l.seed, 2))
	want := 0
	for m := range s.C {
		if n := l.number(m.Data); n != want {
			l.t.Errorf("message %d came, want %d", n, want)
		}
		want++
		if r.IntN(10) == 0 {
			time.AfterFunc(time.Millisecond, l.recv.Pause())
		}
		if r.IntN(4) > 0 { // otherwise it is kept
			time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
			l.number(m.Data)
			m.Release()
			time.AfterFunc(time.Duration(r.IntN(100))*time.Millisecond, m.Release)
		}
	}
	if want != l.total || s.Err() != nil {
		l.t.Errorf("%d messages came to Chan, then %v", want, s.Err())
	}
}

func (l *load) takesBatches(s *stream.Subscription[[]stream.Message]) {
	want := 0
	for batch := range s.C {
		for _, m := range batch {
			if n := l.number(m.Data); n != want {
				l.t.Errorf("message %d came in a batch, want %d", n, want)
			}
			want++
			m.Release()
		}
	}
	if want != l.total || s.Err() != nil {
		l.t.Errorf("%d messages came to Batches, then %v", want, s.Err())
	}
}

// comesAndGoes subscribes again and again, each time for a while.
func (l *load) comesAndGoes(stop context.Context, r *rand.Rand) {
	for stop.Err() == nil {
		inner, cancel := context.WithTimeout(stop, time.Duration(1+r.IntN(100))*time.Millisecond)
		q := &stream.SubscribeOptions{Size: 1 + r.IntN(4), Policy: stream.Policy(r.IntN(5))}
		s := l.recv.Chan(inner, q)
		last, left := -1, r.IntN(50)
		for m := range s.C {
			n := l.number(m.Data)
			if n <= last || q.Policy == stream.Block && last >= 0 && n != last+1 {
				l.t.Errorf("message %d came behind %d, with policy %d", n, last, q.Policy)
			}
			last = n
			m.Release()
			if left--; left == 0 {
				s.Cancel()
			}
		}
		cancel()
		time.Sleep(time.Millisecond)
	}
}

// reads reads all of a message, or leaves it after a while.
func (l *load) reads(r io.Reader) []byte {
	var b bytes.Buffer
	var err error
	if l.r.IntN(3) == 0 {
		_, err = io.CopyN(&b, r, int64(8+l.r.IntN(1000)))
	} else {
		_, err = io.Copy(&b, r)
	}
	if err != nil && err != io.EOF {
		l.t.Errorf("a message ends after %d bytes with %v", b.Len(), err)
	}
	return b.Bytes()
}

// alone takes with loops and Readers in turn.
func (l *load) alone() {
	go l.sends()
	go func() {
		for range l.send.All(ctx) { // answers the Close
		}
	}()
	want := 0
	take := func(b []byte) {
		if n := l.number(b); n != want {
			l.t.Errorf("message %d came, want %d", n, want)
		}
		want++
		if l.r.IntN(20) == 0 {
			time.Sleep(time.Duration(l.r.IntN(2500)) * time.Millisecond)
		}
	}
	for want < l.total && !l.t.Failed() {
		if l.r.IntN(3) == 0 {
			_, r, err := l.recv.Reader(ctx)
			if err != nil {
				l.t.Fatalf("Reader gives %v after %d messages", err, want)
			}
			take(l.reads(r))
			continue
		}
		short, cancel := context.WithTimeout(ctx, time.Duration(l.r.IntN(1500))*time.Millisecond)
		for m, err := range l.recv.All(short) {
			if err != nil {
				if short.Err() == nil {
					l.t.Errorf("All gives %v after %d messages", err, want)
				}
				break
			}
			if take(m.Data); l.r.IntN(5) == 0 {
				break
			}
		}
		cancel()
	}
	for _, err := range l.recv.All(ctx) {
		l.t.Errorf("All gives a message or %v behind the last one", err)
	}
	synctest.Wait()
}
