package feed_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A venue is a server whose feeds each have so many numbered messages. It sends them
// from where it is asked to, and cuts connections as it likes.
type venue struct {
	t     *testing.T
	most  int           // messages of a feed; it closes with 1000 behind them. 0: no end
	pause time.Duration // between two of them

	mu      sync.Mutex
	rand    *rand.Rand
	cuts    int // how many connections are still cut, after some messages
	opens   int
	running sync.WaitGroup
}

// open is a Job's Open.
func (v *venue) open(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
	at := 0
	if last.Cursor != "" {
		at, _ = strconv.Atoi(last.Cursor)
	}
	ours, theirs := net.Pipe()
	c, err := stream.New(ours, stream.Client, nil)
	if err != nil {
		return nil, err
	}
	server, err := stream.New(theirs, stream.Server, nil)
	if err != nil {
		return nil, err
	}
	v.running.Go(func() { v.serve(server, name, at, v.draw()) })
	return c, nil
}

// draw decides after how many messages a connection is cut: 0 for never.
func (v *venue) draw() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opens++
	if v.cuts == 0 {
		return 0
	}
	v.cuts--
	return 1 + v.rand.IntN(40)
}

func (v *venue) serve(c *stream.Conn, name string, at, cut int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	context.AfterFunc(ctx, func() { c.CloseNow(nil) })
	v.running.Go(func() { // reads the peer's Close
		for range c.All(ctx) {
		}
		cancel()
	})
	for n := at + 1; v.most == 0 || n <= v.most; n++ {
		if cut != 0 && n > at+cut {
			c.Flush(ctx)
			return
		}
		if c.SendText(ctx, fmt.Sprintf("%s %d", name, n)) != nil {
			return
		}
		time.Sleep(v.pause)
	}
	c.Close(result.StatusNormalClosure, "all is said")
	<-ctx.Done()
}

// record is a Job's Record.
func record(m stream.Message) (feed.Record, bool) {
	var n int
	var name string
	if _, err := fmt.Sscan(m.String(), &name, &n); err != nil || name != m.Origin().Name {
		panic(fmt.Sprintf("message %q of %+v: %v", m, m.Origin(), err))
	}
	return feed.Record{Data: m.Data, Cursor: strconv.Itoa(n)}, true
}

// exact requires that a feed has the numbers from 1 to most, each once, in order,
// gaps aside.
func exact(t *testing.T, m *feed.Memory, name string, most int) (gaps int) {
	t.Helper()
	n := 0
	for _, r := range m.Records(name) {
		if r.Gap != nil {
			gaps++
			continue
		}
		if n++; string(r.Data) != fmt.Sprintf("%s %d", name, n) || r.Cursor != strconv.Itoa(n) {
			t.Fatalf("%s: record %d holds %q with the cursor %q", name, n, r.Data, r.Cursor)
		}
	}
	if n != most {
		t.Fatalf("%s has %d records, want %d", name, n, most)
	}
	return gaps
}

// Feeds are stored from the first message to the last, and Run ends when all have
// ended.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, most: 2000}
		m := feed.NewMemory()
		feeds := names("f%d", 10)
		if err := feed.Run(t.Context(), &feed.Job{Feeds: feeds, Open: v.open, Record: record, Store: m}); err != nil {
			t.Errorf("Run: %v", err)
		}
		v.running.Wait()
		for _, f := range feeds {
			if gaps := exact(t, m, f, v.most); gaps != 0 {
				t.Errorf("%s has %d gaps", f, gaps)
			}
		}
	})
}

// Connections that are cut are opened again behind the last record.
func TestRunCuts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, isExact := range []bool{true, false} {
			v := &venue{t: t, most: 500, cuts: 50, rand: rand.New(rand.NewPCG(1, 2))}
			m := feed.NewMemory()
			feeds := names("f%d", 5)
			if err := feed.Run(t.Context(), &feed.Job{Feeds: feeds, Open: v.open, Record: record, Store: m, Exact: isExact}); err != nil {
				t.Errorf("Run: %v", err)
			}
			v.running.Wait()
			gaps := 0
			for _, f := range feeds {
				gaps += exact(t, m, f, v.most)
			}
			if want := map[bool]int{true: 0, false: 50}[isExact]; gaps != want {
				t.Errorf("exact is %t, there are %d gaps, want %d", isExact, gaps, want)
			}
		}
	})
}

// A fickle store fails now and then: before it does what it is asked, after that, or
// because another worker was there before.
type fickle struct {
	*feed.Memory
	rand  *rand.Rand
	most  int
	fails int // how many calls are still to go wrong

	mu   sync.Mutex
	done []feed.Record // what was stored without a word
}

var errFickle = errors.New("not now")

func (s *fickle) whim() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails == 0 || s.rand.IntN(3) == 0 {
		return 0
	}
	s.fails--
	return 1 + s.rand.IntN(3)
}

func (s *fickle) Last(ctx context.Context, feeds []string) (map[string]feed.Record, error) {
	if s.whim() == 1 {
		return nil, errFickle
	}
	return s.Memory.Last(ctx, feeds)
}

func (s *fickle) Append(ctx context.Context, records []feed.Record) error {
	if s.done != nil { // It must be repeated as it was.
		same := slices.EqualFunc(s.done, records, func(a, b feed.Record) bool { return a.Feed == b.Feed && a.Cursor == b.Cursor })
		if s.done = nil; !same {
			return fmt.Errorf("%d records whose fate was not known are followed by others", len(records))
		}
		return nil
	}
	switch s.whim() {
	case 1:
		return errFickle
	case 2:
		if err := s.Memory.Append(ctx, records); err != nil {
			return err
		}
		s.done = slices.Clone(records)
		return errFickle
	case 3:
		s.steal(ctx, records[s.rand.IntN(len(records))].Feed)
	}
	return s.Memory.Append(ctx, records)
}

// steal lets another worker write to a feed.
func (s *fickle) steal(ctx context.Context, name string) {
	thief := s.Memory.View()
	last, _ := thief.Last(ctx, []string{name})
	n, _ := strconv.Atoi(last[name].Cursor)
	for range 1 + s.rand.IntN(5) {
		if n++; n <= s.most {
			thief.Append(ctx, []feed.Record{{Feed: name, Data: fmt.Appendf(nil, "%s %d", name, n), Cursor: strconv.Itoa(n)}})
		}
	}
}

// Whatever goes wrong, nothing is missing, doubled or out of order.
func TestRunStoreFails(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			const most = 300
			source := rand.New(rand.NewPCG(seed, 3))
			v := &venue{t: t, most: most, cuts: 10, rand: rand.New(rand.NewPCG(seed, 4))}
			s := &fickle{Memory: feed.NewMemory(), rand: source, most: most, fails: 60}
			feeds := names("f%d", 4)
			job := &feed.Job{Feeds: feeds, Open: v.open, Record: record, Store: s, Exact: true, Batch: 50, Linger: time.Millisecond}
			if err := feed.Run(t.Context(), job); err != nil {
				t.Errorf("Run: %v", err)
			}
			v.running.Wait()
			for _, f := range feeds {
				exact(t, s.Memory, f, most)
			}
		})
	}
}

// Two workers that each take all feeds for their own fight for them, and nothing is
// missing or doubled.
func TestRunTwoOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 3000
		v := &venue{t: t, most: most}
		m := feed.NewMemory()
		feeds := names("f%d", 4)
		var workers sync.WaitGroup
		for range 2 {
			job := &feed.Job{Feeds: feeds, Open: v.open, Record: record, Store: m.View(), Batch: 20, Linger: time.Millisecond}
			workers.Go(func() {
				if err := feed.Run(t.Context(), job); err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		}
		workers.Wait()
		v.running.Wait()
		for _, f := range feeds {
			exact(t, m, f, most)
		}
	})
}

// A hand is a Crew that a test tells which feeds are its worker's.
type hand struct {
	lists chan []string
	taken chan struct{} // what was told is done
}

func newHand() *hand { return &hand{make(chan []string), make(chan struct{})} }

func (h *hand) Mine(ctx context.Context, all []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for {
			select {
			case list := <-h.lists:
				if !yield(list, nil) {
					return
				}
				h.taken <- struct{}{}
			case <-ctx.Done():
				yield(nil, nil)
				return
			}
		}
	}
}

func (h *hand) give(list ...string) {
	h.lists <- list
	<-h.taken
}

// A feed that goes from one worker to another loses nothing, and what the former had
// received is stored when it has given the feed up: the other meets no conflict.
func TestRunHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, pause: 10 * time.Millisecond}
		m := feed.NewMemory()
		ctx, cancel := context.WithCancel(t.Context())
		var workers sync.WaitGroup
		hands := []*hand{newHand(), newHand()}
		logs := make([]*observer.ObservedLogs, len(hands))
		for i, h := range hands {
			var core zapcore.Core
			core, logs[i] = observer.New(zap.WarnLevel)
			job := &feed.Job{Feeds: names("f%d", 2), Open: v.open, Record: record, Store: m.View(), Crew: h, Exact: true, Logger: zap.New(core)}
			workers.Go(func() {
				if err := feed.Run(ctx, job); err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		}
		for i := range 8 {
			from, to := hands[i%2], hands[1-i%2]
			from.give("f0", "f1")
			time.Sleep(time.Second)
			from.give("f1")
			to.give("f0")
			time.Sleep(time.Second)
			from.give()
			to.give()
		}
		cancel()
		workers.Wait()
		v.running.Wait()
		for _, f := range m.Feeds() {
			exact(t, m, f, len(m.Records(f)))
		}
		if n := len(m.Records("f1")); n < 400 {
			t.Errorf("only %d messages were stored", n)
		}
		for i, l := range logs {
			for _, line := range l.All() {
				t.Errorf("worker %d warns: %s %v", i, line.Message, line.ContextMap())
			}
		}
	})
}
