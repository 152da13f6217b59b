package redial_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wsflow/wsflow/internal/faults"
	"github.com/wsflow/wsflow/internal/script"
	"github.com/wsflow/wsflow/redial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A server that takes connections and closes each at once is dialed less and less
// often: within a minute no more than the waits allow that were drawn, and never
// before the wait drawn last is over.
func TestHotServer(t *testing.T) {
	bubble(t, "hot", func(t *testing.T) {
		server := newServer(t)
		backoff := redial.Backoff(time.Second, 30*time.Second)
		var earliest time.Time
		src := redial.New(ctx, func(ctx context.Context) (*stream.Conn, error) {
			if now := time.Now(); now.Before(earliest) {
				t.Errorf("it dials %v before its wait is over", earliest.Sub(now))
			}
			conn, err := server.dial(ctx)
			(<-server.peers).Sends(script.Close(1012, ""))
			return conn, err
		}, &redial.Options{Retry: func(n int, err error) (time.Duration, bool) {
			if int64(n) != server.dials.Load() {
				t.Errorf("failure %d is taken for number %d", server.dials.Load(), n)
			}
			wait, again := backoff(n, err)
			wait = max(wait, min(time.Second<<(n-1), 30*time.Second)/2) // for a bound that does not depend on luck
			earliest = time.Now().Add(wait)
			return wait, again
		}})
		go func() { // ends with the source
			for range src.All(ctx) {
			}
		}()
		time.Sleep(time.Minute)
		src.CloseNow(nil)
		// Waits of at least 0.5, 1, 2, 4, 8, 15 and 15 s, and the first dial.
		if n := server.dials.Load(); n < 3 || n > 9 {
			t.Errorf("it dialed %d times within a minute", n)
		}
	})
}

// A bucket gives a number of tokens a second, and so many at once.
type bucket struct {
	each  time.Duration
	burst int

	mu   sync.Mutex
	next time.Time // when the next token is there
}

func (b *bucket) Wait(ctx context.Context) error {
	b.mu.Lock()
	now := time.Now()
	if full := now.Add(-time.Duration(b.burst-1) * b.each); b.next.Before(full) {
		b.next = full
	}
	wait := b.next.Sub(now)
	b.next = b.next.Add(b.each)
	b.mu.Unlock()
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Ten thousand sources that lose their server for a minute share a limiter: no second
// sees more dials than it allows, and the log has few lines.
func TestLimiter(t *testing.T) {
	bubble(t, "limiter", func(t *testing.T) {
		const sources, rate, burst = 10_000, 100, 50
		limiter := &bucket{each: time.Second / rate, burst: burst}
		core, lines := observer.New(zap.InfoLevel)
		server := newServer(t)
		server.fails(errNobody)
		var mu sync.Mutex
		var dials []time.Time
		dial := func(ctx context.Context) (*stream.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dials = append(dials, time.Now())
			return nil, errNobody
		}
		opts := &redial.Options{Limiter: limiter, Logger: zap.New(core)}
		all := make([]*redial.Source, sources)
		for i := range all {
			all[i] = redial.New(ctx, dial, opts)
		}
		time.Sleep(time.Minute)
		for _, src := range all {
			src.CloseNow(nil)
		}
		synctest.Wait()
		if len(dials) < 55*rate {
			t.Errorf("there were %d dials within a minute", len(dials))
		}
		for first, i := 0, 0; i < len(dials); i++ {
			for dials[i].Sub(dials[first]) >= time.Second {
				first++
			}
			if n := i - first + 1; n > rate+burst {
				t.Fatalf("%d dials within a second", n)
			}
		}
		if n := lines.Len(); n == 0 || n > 75 {
			t.Errorf("the log has %d lines", n)
		}
	})
}

// An idle source has no goroutine of its own: what runs is the loop that takes.
func TestIdle(t *testing.T) {
	bubble(t, "idle", func(t *testing.T) {
		server := &faults.Server{Last: 0}
		defer server.Close()
		src := redial.New(ctx, server.Dial, nil)
		defer src.CloseNow(nil)
		synctest.Wait()
		if _, err := src.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, stack := range stacks() {
			if ours(stack) {
				t.Errorf("an idle source runs\n%s", stack)
			}
		}
	})
}

// An idle source takes little more than its connection and its Relay.
func TestIdleMemory(t *testing.T) {
	const most = 512
	join := func() (stop func(error)) {
		conn, err := mute(ctx)
		if err != nil {
			t.Fatal(err)
		}
		relay, feeder := stream.NewRelay(nil)
		ended := func(st result.Status) { feeder.End(st) }
		if _, err := feeder.Join(conn, &stream.JoinOptions{Origin: stream.Origin{Epoch: 1}, Ended: ended}); err != nil {
			t.Fatal(err)
		}
		drain(relay)
		return conn.CloseNow
	}
	idleBytes(t, join) // what the program has once
	relayed := idleBytes(t, join)
	source := idleBytes(t, func() (stop func(error)) {
		src := redial.New(ctx, mute, nil)
		drain(src)
		return src.CloseNow
	})
	t.Logf("a joined connection takes %d bytes of heap, a source %d", relayed, source)
	if source > relayed+most {
		t.Errorf("a source takes %d bytes more than its connection and its Relay, want at most %d", source-relayed, most)
	}
}

// mute dials a server that says nothing.
func mute(context.Context) (*stream.Conn, error) {
	near, _ := net.Pipe()
	return stream.New(near, stream.Client, nil)
}

// drain takes all messages, until the end.
func drain(s stream.Source) {
	go func() {
		for range s.All(ctx) {
		}
	}()
}

// idleBytes returns how much heap each of many takes, once they are idle.
func idleBytes(t *testing.T, start func() (stop func(error))) (each int) {
	t.Helper()
	bubble(t, "idle", func(t *testing.T) {
		const n = 500
		before := heap()
		stops := make([]func(error), n)
		for i := range stops {
			stops[i] = start()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		each = int(heap()-before) / n
		for _, stop := range stops {
			stop(nil)
		}
	})
	return each
}

// heap returns how much is alive.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// stacks returns the stacks of all goroutines.
func stacks() []string {
	buf := make([]byte, 1<<20)
	return strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
}

// ours reports that a goroutine does something of package redial, tests aside.
func ours(stack string) bool {
	return strings.Contains(stack, "wsflow/redial.(*")
}
