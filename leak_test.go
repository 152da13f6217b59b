package wsflow_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/stream"
)

// cycles is how often a connection is made and ended. A few hundred show
// goroutines and descriptors that stay behind; thousands, bytes.
func cycles() int {
	if testing.Short() || raceDetector() {
		return 500
	}
	return 10000
}

// raceDetector reports that the test runs under it, which takes ten times as
// long.
func raceDetector() bool {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			return s.Value == "true"
		}
	}
	return false
}

// echoing is a server that agrees to permessage-deflate and sends back what it
// gets. Those who ask for /refuse get a 403, those who ask for /silence nothing
// until they go.
func echoing(t *testing.T) (host string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			http.Error(w, "no", http.StatusForbidden)
			return
		case "/silence":
			<-r.Context().Done()
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			typ, data, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), typ, data) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// A usage is what connections could leave behind.
type usage struct {
	goroutines int
	files      int   // -1 where they cannot be counted
	heap       int64 // that is alive
}

func inUse() usage {
	runtime.GC()
	runtime.GC() // what pools had
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{goroutines: runtime.NumGoroutine(), files: files(), heap: int64(m.HeapAlloc)}
}

func files() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(list)
}

// leavesNothing runs a cycle n times, in a few goroutines, and compares what is
// in use after a few of them and in the end. What ends by itself, such as a
// timer, has a while for that.
func leavesNothing(t *testing.T, n int, cycle func() error) {
	t.Helper()
	const (
		few   = 100
		noise = 1 << 20 // of the heap: 100 bytes for each of 10,000 cycles
		while = 5 * time.Second
	)
	before := goleak.IgnoreCurrent()
	fresh := quiet()
	repeat(t, few, cycle)
	first := settled(fresh, noise, while)
	began := time.Now()
	repeat(t, n-few, cycle)
	took := time.Since(began)
	last := settled(first, noise, while)
	t.Logf("%d cycles in %v; %+v, then %+v", n, took, first, last)
	if last.exceeds(first, noise) {
		t.Errorf("after %d cycles there was %+v, after %d there is %+v", few, first, n, last)
	}
	closesFiles(t, cycle)
	if err := goleak.Find(before, serving); err != nil {
		t.Error(err)
	}
}

// quiet returns the least that is in use within the time for which connections
// that have ended may still hang on a timer.
func quiet() usage {
	least := inUse()
	for late := time.Now().Add(time.Second); time.Now().Before(late); time.Sleep(50 * time.Millisecond) {
		if u := inUse(); u.heap < least.heap {
			least = u
		}
	}
	return least
}

// exceeds reports that more is in use than before.
func (u usage) exceeds(before usage, noise int64) bool {
	return u.goroutines > before.goroutines || u.files > before.files || u.heap > before.heap+noise
}

// settled returns what is in use when it is no more than before, or after a
// while.
func settled(before usage, noise int64, while time.Duration) usage {
	for late := time.Now().Add(while); ; time.Sleep(10 * time.Millisecond) {
		if u := inUse(); !u.exceeds(before, noise) || time.Now().After(late) {
			return u
		}
	}
}

// closesFiles runs some cycles without the collector, which closes files that
// were left open.
func closesFiles(t *testing.T, cycle func() error) {
	t.Helper()
	const some = 100
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before := files()
	repeat(t, some, cycle)
	for late := time.Now().Add(5 * time.Second); files() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("there were %d open files, after %d cycles without the collector there are %d", before, some, files())
		}
	}
}

// serving are the goroutines of the test's own server, whose connections end
// when it is told so.
var serving = goleak.IgnoreAnyFunction("net/http.(*conn).serve")

func repeat(t *testing.T, n int, cycle func() error) {
	t.Helper()
	const workers = 8
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := cycle(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

// Connections that ended leave neither goroutines nor descriptors nor memory.
func TestConnectionsLeaveNothing(t *testing.T) {
	host := echoing(t)
	ends := map[string]func(c *stream.Conn) error{
		"Close": func(c *stream.Conn) error {
			if err := c.Close(1000, ""); err != nil {
				return err
			}
			_, err := c.Result().Wait(context.Background())
			return err
		},
		"CloseNow": func(c *stream.Conn) error {
			c.CloseNow(nil)
			if _, err := c.Result().Wait(context.Background()); !errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("CloseNow ended it with %w", err)
			}
			return nil
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, cycles(), func() error {
				c, err := dial.Dial(context.Background(), "ws://"+host, nil)
				if err != nil {
					return err
				}
				if err := greet(c); err != nil {
					return err
				}
				return end(c)
			})
		})
	}
}

// greet sends a message and takes its echo.
func greet(c *stream.Conn) error {
	sub := c.Chan(context.Background(), nil)
	defer sub.Cancel()
	greeting := strings.Repeat("hello ", 20)
	if err := c.SendText(context.Background(), greeting); err != nil {
		return err
	}
	m, ok := <-sub.C
	if !ok {
		return sub.Err()
	}
	defer m.Release()
	if m.String() != greeting {
		return fmt.Errorf("the echo is %q", m)
	}
	return nil
}

// Dials that failed leave nothing either.
func TestFailedDialsLeaveNothing(t *testing.T) {
	host := echoing(t)
	nobody := closedPort(t)
	fails := func(ctx context.Context, url string) error {
		if c, err := dial.Dial(ctx, url, nil); err == nil {
			c.CloseNow(nil)
			return errors.New("the dial succeeded")
		}
		return nil
	}
	for name, cycle := range map[string]func() error{
		"refused by the server": func() error { return fails(context.Background(), "ws://"+host+"/refuse") },
		"nobody there":          func() error { return fails(context.Background(), "ws://"+nobody) },
		"cancelled before": func() error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return fails(ctx, "ws://"+host)
		},
		"cancelled on the way": func() error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			defer cancel()
			return fails(ctx, "ws://"+host+"/silence")
		},
	} {
		t.Run(name, func(t *testing.T) { leavesNothing(t, cycles()/2, cycle) })
	}
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return l.Addr().String()
}
