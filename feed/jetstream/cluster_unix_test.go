//go:build unix

package jetstream

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap/zaptest"

	"github.com/wsflow/wsflow/feed"
)

// A cluster is three servers, each in a process of its own.
type cluster struct {
	t       *testing.T
	parts   []part
	members []*process
	urls    []string
}

const replicas = 3

// forms starts a cluster.
func forms(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, members: make([]*process, replicas)}
	addresses := free(t, 2*replicas)
	for i := range replicas {
		c.parts = append(c.parts, part{
			Name: fmt.Sprint("n", i+1), Dir: t.TempDir(), Listen: addresses[i], Routes: addresses[replicas:], Cluster: addresses[replicas+i],
		})
		c.urls = append(c.urls, "nats://"+addresses[i])
	}
	for i := range replicas {
		c.members[i] = starts(t, "member", c.parts[i])
	}
	return c
}

// free returns addresses at which nobody listens.
func free(t *testing.T, n int) (all []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

func (c *cluster) client() jetstream.JetStream {
	c.t.Helper()
	nc, err := nats.Connect(strings.Join(c.urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond), nats.RetryOnFailedConnect(true))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(2*time.Second))
	if err != nil {
		c.t.Fatal(err)
	}
	return js
}

// tries repeats what needs a leader until it succeeds.
func (c *cluster) tries(what string, f func(context.Context) error) {
	c.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
		err := f(ctx)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-late:
			c.t.Fatalf("%s: %v", what, err)
		}
	}
}

// killLeader kills the leader of the stream, and returns which member that was.
func (c *cluster) killLeader(js jetstream.JetStream) (at int) {
	c.t.Helper()
	c.tries("the leader of the stream", func(ctx context.Context) error {
		s, err := js.Stream(ctx, partStream)
		if err != nil {
			return err
		}
		leader := s.CachedInfo().Cluster.Leader
		if at = slices.IndexFunc(c.parts, func(p part) bool { return p.Name == leader }); at < 0 {
			return fmt.Errorf("it is %q", leader)
		}
		return nil
	})
	c.members[at].kill()
	return at
}

// A testimony is what stores have acknowledged.
type testimony struct {
	mu    sync.Mutex
	acked []acked
	began map[*witness]time.Time // the last Append that was acknowledged of each store
	more  chan struct{}          // it has room for one
}

// An acked record is one whose Append has returned without an error.
type acked struct {
	feed, cursor string
	sequence     uint64
}

// A witness is a store whose acknowledgements are noted.
type witness struct {
	*Store
	testimony *testimony
}

func (w *witness) Append(ctx context.Context, records []feed.Record) error {
	began := time.Now()
	if err := w.Store.Append(ctx, records); err != nil {
		return err
	}
	last := map[string]string{}
	for _, r := range records {
		last[r.Feed] = r.Cursor
	}
	t := w.testimony
	t.mu.Lock()
	defer t.mu.Unlock()
	for f, sequence := range w.at(records) {
		t.acked = append(t.acked, acked{f, last[f], sequence})
	}
	t.began[w] = began
	select {
	case t.more <- struct{}{}:
	default:
	}
	return nil
}

// hears returns a store whose acknowledgements are noted.
func (w *testimony) hears(s *Store) feed.Store {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := &witness{s, w}
	w.began[one] = time.Time{}
	return one
}

// waits waits until each store has acknowledged an Append that began behind a time.
func (w *testimony) waits(t *testing.T, behind time.Time) {
	t.Helper()
	late := time.After(2 * time.Minute)
	for {
		w.mu.Lock()
		done := true
		for _, began := range w.began {
			done = done && began.After(behind)
		}
		w.mu.Unlock()
		if done {
			return
		}
		select {
		case <-w.more:
		case <-late:
			t.Fatal("nothing was stored for two minutes")
		}
	}
}

// holds requires that each feed counts from 1 without a gap, and that what was
// acknowledged stands where it stood then. It returns how many records there are.
func (w *testimony) holds(t *testing.T, js jetstream.JetStream, feeds int) (records int) {
	t.Helper()
	s := open(t, js, partStream)
	at, stands := map[string]int{}, map[acked]bool{}
	err := s.scan(t.Context(), nil, func(m message) bool {
		records++
		name := m.record.Feed
		if at[name]++; m.record.Cursor != strconv.Itoa(at[name]) || string(m.record.Data) != fmt.Sprintf("%s %d", name, at[name]) {
			t.Fatalf("record %d of %s holds %q with the cursor %s", at[name], name, m.record.Data, m.record.Cursor)
		}
		stands[acked{name, m.record.Cursor, m.sequence}] = true
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(at) != feeds {
		t.Errorf("%d feeds have records, want %d", len(at), feeds)
	}
	for _, a := range w.acked {
		if !stands[a] {
			t.Fatalf("%+v was acknowledged and is lost", a)
		}
	}
	return records
}

// The leader of a stream with three replicas is killed and started again, time after
// time: nothing that was acknowledged is lost, and nothing is doubled or out of order.
func TestLeaderKilled(t *testing.T) {
	t.Parallel()
	kills, every, feeds := pick(1, 60), pick(500*time.Millisecond, 5*time.Second), pick(10, 20)
	c := forms(t)
	js := c.client()
	settings := Settings(partStream)
	settings.Replicas = replicas
	c.tries("the stream", func(ctx context.Context) error {
		_, err := js.CreateOrUpdateStream(ctx, settings)
		return err
	})
	w := testimony{began: map[*witness]time.Time{}, more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for i := range 2 { // each has half of the feeds
		js := c.client()
		var s *Store
		c.tries("the store", func(ctx context.Context) (err error) {
			s, err = NewStore(ctx, js, partStream)
			return err
		})
		p := part{Most: 1 << 30, Pause: time.Millisecond}
		job := &feed.Job{Open: p.open, Record: numbered, Store: w.hears(s), Batch: 500, Exact: true}
		if testing.Verbose() {
			job.Logger = zaptest.NewLogger(t).Named(fmt.Sprint("worker", i))
		}
		for n := i; n < feeds; n += 2 {
			job.Feeds = append(job.Feeds, fmt.Sprint("feed.", n))
		}
		workers.Go(func() {
			if err := feed.Run(ctx, job); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	var without []time.Duration // until both workers store again
	for n := range kills {
		start := time.Now()
		w.waits(t, start)
		time.Sleep(time.Until(start.Add(every)))
		at := c.killLeader(js)
		killed := time.Now()
		if n%2 == 1 { // now and then it comes back late
			w.waits(t, killed)
		}
		c.members[at] = starts(t, "member", c.parts[at])
		w.waits(t, killed)
		without = append(without, time.Since(killed))
	}
	cancel()
	workers.Wait()
	n := w.holds(t, js, feeds)
	slices.Sort(without)
	t.Logf("%d records, %d acknowledgements, %d kills; until both workers stored again it took %v at the median, %v at most",
		n, len(w.acked), kills, without[len(without)/2].Round(time.Millisecond), without[len(without)-1].Round(time.Millisecond))
}
