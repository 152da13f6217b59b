package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A diary is what a job logs.
type diary struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // it has room for one
}

func (d *diary) Write(line []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case d.written <- struct{}{}:
	default:
	}
	return d.text.Write(line)
}

func (d *diary) logger() *zap.Logger {
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig()), zapcore.AddSync(d), zap.WarnLevel))
}

// says waits until a line of the log has all of the parts.
func (d *diary) says(t *testing.T, parts ...string) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		d.mu.Lock()
		text := d.text.String()
		d.mu.Unlock()
		for line := range strings.Lines(text) {
			if has(line, parts) {
				t.Log(line)
				return
			}
		}
		select {
		case <-d.written:
		case <-late:
			t.Fatalf("the log has no line with %q:\n%s", parts, tail(text))
		}
	}
}

func has(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// An errand is a job under way, whose feeds count from 1 to most.
type errand struct {
	t     *testing.T
	store *Store
	log   *diary
	most  int
	ended chan error
}

const errandFeeds = 3

func begins(ctx context.Context, t *testing.T, js jetstream.JetStream, most int, change func(*feed.Job)) *errand {
	t.Helper()
	e := &errand{t: t, store: open(t, js, "FEEDS"), log: &diary{written: make(chan struct{}, 1)}, most: most, ended: make(chan error, 1)}
	p := part{Most: most}
	job := &feed.Job{Open: p.open, Record: numbered, Store: e.store, Batch: 50, Exact: true, Logger: e.log.logger()}
	for i := range errandFeeds {
		job.Feeds = append(job.Feeds, fmt.Sprint("feed.", i))
	}
	if change != nil {
		change(job)
	}
	go func() { e.ended <- feed.Run(ctx, job) }() // ends with ctx or with the feeds; the test waits for it
	return e
}

// ends requires that the job ends, and that all is stored from a number on; 0 is any.
func (e *errand) ends(reader *Store, first int) {
	e.t.Helper()
	select {
	case err := <-e.ended:
		if err != nil {
			e.t.Errorf("Run: %v", err)
		}
	case <-time.After(time.Minute):
		e.t.Fatalf("the job does not end; its log:\n%s", tail(e.log.text.String()))
	}
	for i := range errandFeeds {
		name := fmt.Sprint("feed.", i)
		all := read(e.t, reader, name)
		at := first
		if at == 0 && len(all) > 0 {
			fmt.Sscan(all[0].Cursor, &at)
		}
		for _, r := range all {
			if want := fmt.Sprint(name, " ", at); string(r.Data) != want {
				e.t.Fatalf("%s has the record %q, want %q", name, r.Data, want)
			}
			at++
		}
		if at != e.most+1 {
			e.t.Errorf("%s ends with %d, want %d", name, at-1, e.most)
		}
	}
}

// A job waits for a stream that is full, and goes on when there is room.
func TestJobFull(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*jetstream.StreamConfig, int){
		"maximum messages exceeded": func(c *jetstream.StreamConfig, n int) { c.MaxMsgs = int64(n) },
		"maximum bytes exceeded":    func(c *jetstream.StreamConfig, n int) { c.MaxBytes = int64(n) * 200 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			js := connect(t, serve(t))
			settings := Settings("FEEDS")
			settings.Discard = jetstream.DiscardNew
			limit(&settings, 500)
			create(t, js, settings)
			e := begins(t.Context(), t, js, 400, nil)
			e.log.says(t, "records cannot be stored", name)
			limit(&settings, 5000)
			create(t, js, settings)
			e.ends(e.store, 1)
		})
	}
}

// A job waits for a stream that was deleted, and goes on where it is made anew.
func TestJobDeletedStream(t *testing.T) {
	t.Parallel()
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	p := part{Most: 1000, Pause: time.Millisecond}
	e := begins(t.Context(), t, js, 1000, func(j *feed.Job) { j.Open = p.open })
	if _, err := follow(t, js).Next(jetstream.NextMaxWait(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "FEEDS"); err != nil {
		t.Fatal(err)
	}
	e.log.says(t, "records cannot be stored", "is not there, or has no leader")
	create(t, js, Settings("FEEDS"))
	e.ends(e.store, 0)
}

// A job whose user is taken away says so, waits, and goes on when he is there again.
func TestJobCredentials(t *testing.T) {
	t.Parallel()
	options := server.Options{JetStream: true, StoreDir: t.TempDir(), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true}
	as := func(names ...string) *server.Options {
		o := options
		for _, n := range names {
			o.Users = append(o.Users, &server.User{Username: n, Password: "x"})
		}
		return &o
	}
	ns, err := server.NewServer(as("job", "admin"))
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(time.Minute) {
		t.Fatal("the server does not start")
	}
	user := func(name string) jetstream.JetStream {
		nc, err := nats.Connect(ns.ClientURL(), nats.UserInfo(name, "x"), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
			nats.ReconnectWait(10*time.Millisecond), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return js
	}
	create(t, user("admin"), Settings("FEEDS"))
	p := part{Most: 1000, Pause: time.Millisecond}
	e := begins(t.Context(), t, user("job"), 1000, func(j *feed.Job) { j.Open = p.open })
	if err := ns.ReloadOptions(as("admin")); err != nil {
		t.Fatal(err)
	}
	e.log.says(t, "not connected to NATS", "uthorization")
	if err := ns.ReloadOptions(as("job", "admin")); err != nil {
		t.Fatal(err)
	}
	e.ends(open(t, user("admin"), "FEEDS"), 1)
}

// A job whose connection to NATS is closed for good ends and says so.
func TestJobClosedConnection(t *testing.T) {
	t.Parallel()
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	p := part{Most: 1 << 30, Pause: time.Millisecond}
	e := begins(t.Context(), t, js, 0, func(j *feed.Job) { j.Open = p.open })
	if _, err := follow(t, js).Next(jetstream.NextMaxWait(time.Minute)); err != nil {
		t.Fatal(err)
	}
	js.Conn().Close()
	var bad *result.ArgumentError
	if err := <-e.ended; !errors.As(err, &bad) {
		t.Errorf("Run returns %v", err)
	} else {
		t.Log(err)
	}
}

// A message that is larger than the server takes is stored as a record without data, and
// the feed goes on behind it.
func TestJobOversize(t *testing.T) {
	t.Parallel()
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	e := begins(t.Context(), t, js, 0, func(j *feed.Job) {
		j.Feeds = []string{"f"}
		j.Record = nil
		j.Open = func(ctx context.Context, _ string, last feed.Record) (stream.Source, error) {
			relay, feeder := stream.NewRelay(nil)
			go func() { // ends with the source
				for _, n := range []int{1, tooMuch, 0, 2} {
					feeder.Put(ctx, stream.Message{Type: stream.Binary, Data: make([]byte, n)})
				}
				feeder.End(result.Status{Code: result.StatusNormalClosure})
			}()
			return relay, nil
		}
	})
	if err := <-e.ended; err != nil {
		t.Fatal(err)
	}
	var sizes []string
	for _, r := range read(t, e.store, "f") {
		sizes = append(sizes, fmt.Sprint(len(r.Data), " of ", max(r.Omitted, len(r.Data))))
	}
	if got, want := strings.Join(sizes, ", "), fmt.Sprintf("1 of 1, 0 of %d, 0 of 0, 2 of 2", tooMuch); got != want {
		t.Errorf("the records have %s bytes, want %s", got, want)
	}
}

// When the server's clock jumps, all keys of a crew expire at once: the workers give up
// what they have, come again, and go on behind what is stored.
func TestJobClockJumps(t *testing.T) {
	t.Parallel()
	const most, jumps = 600, 3
	server := serve(t)
	js := connect(t, server)
	create(t, js, Settings("FEEDS"))
	kv, err := js.CreateKeyValue(t.Context(), CrewSettings("crew", time.Second))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var workers []*errand
	p := part{Most: most, Pause: time.Millisecond}
	for _, name := range []string{"a", "b"} {
		js := connect(t, server)
		crew, err := NewCrew(ctx, kv, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		workers = append(workers, begins(ctx, t, js, most, func(j *feed.Job) { j.Open, j.Crew = p.open, crew }))
	}
	messages := follow(t, js)
	done, jumped := 0, 0
	for n := 1; done < errandFeeds; n++ {
		m, err := messages.Next(jetstream.NextMaxWait(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if m.Headers().Get(headerCursor) == fmt.Sprint(most) {
			done++
		}
		if jumped < jumps && n > (jumped+1)*errandFeeds*most/(jumps+2) {
			jumped++
			keys, err := kv.Keys(t.Context())
			for _, k := range keys {
				err = errors.Join(err, kv.Delete(t.Context(), k)) // a marker as that of a key that has expired
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	cancel()
	for _, w := range workers {
		w.ends(w.store, 1)
	}
}
