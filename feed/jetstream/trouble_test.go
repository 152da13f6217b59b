package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	wsflow "github.com/wsflow/wsflow/stream"
)

// numbers are records of a feed, from number first to last.
func numbers(name string, first, last int) (all []feed.Record) {
	for n := first; n <= last; n++ {
		all = append(all, feed.Record{Feed: name, Data: []byte(fmt.Sprint(n)), Cursor: fmt.Sprint(n)})
	}
	return all
}

// counts requires that a feed has the numbers from first to last.
func counts(t *testing.T, s *Store, name string, first, last int) {
	t.Helper()
	all := read(t, s, name)
	for i, r := range all {
		if string(r.Data) != fmt.Sprint(first+i) {
			t.Fatalf("record %d of %s is %q, want %d", i, name, r.Data, first+i)
		}
	}
	if len(all) != last-first+1 {
		t.Fatalf("%s has %d records, want %d", name, len(all), last-first+1)
	}
}

func appends(t *testing.T, s *Store, records ...feed.Record) {
	t.Helper()
	if err := s.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

// A feed whose records retention has removed goes on.
func TestRetention(t *testing.T) {
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	s := open(t, js, "FEEDS")
	appends(t, s, append(numbers("a", 1, 3), numbers("b", 1, 3)...)...)
	stream, err := js.Stream(t.Context(), "FEEDS")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context(), jetstream.WithPurgeSubject(s.Subject("a"))); err != nil {
		t.Fatal(err)
	}
	appends(t, s, append(numbers("a", 4, 5), numbers("b", 4, 5)...)...)
	counts(t, s, "a", 4, 5)
	counts(t, s, "b", 1, 5)
}

// What is removed while somebody reads is not waited for.
func TestRecordsRemoved(t *testing.T) {
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	s := open(t, js, "FEEDS")
	appends(t, s, numbers("a", 1, 5000)...)
	s.timeout = 100 * time.Millisecond
	stream, err := js.Stream(t.Context(), "FEEDS")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r, err := range s.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; r.Cursor != fmt.Sprint(n) {
			t.Fatalf("record %d has the cursor %s", n, r.Cursor)
		}
		if n == 1 {
			if err := stream.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n == 5000 {
		t.Error("all was read although it was removed")
	}
}

// Where a stream has lost the end of a feed, the feed is in conflict, so that it is
// opened again where the stream stands.
func TestLostEnd(t *testing.T) {
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	s := open(t, js, "FEEDS")
	appends(t, s, numbers("a", 1, 5)...)
	stream, err := js.Stream(t.Context(), "FEEDS")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	var c *feed.Conflict
	if err := s.Append(t.Context(), numbers("a", 6, 6)); !errors.As(err, &c) || len(c.Feeds) != 1 {
		t.Fatalf("Append ended with %v, want a conflict", err)
	}
	last, err := s.Last(t.Context(), []string{"a"})
	if err != nil || last["a"].Cursor != "4" {
		t.Fatalf("the last record is %+v, %v", last["a"], err)
	}
	appends(t, s, numbers("a", 5, 6)...)
	counts(t, s, "a", 1, 6)
}

// A stream that is full says so, and takes records again when there is room.
func TestFull(t *testing.T) {
	js := connect(t, serve(t))
	settings := Settings("FEEDS")
	settings.MaxMsgs, settings.Discard = 10, jetstream.DiscardNew
	create(t, js, settings)
	s := open(t, js, "FEEDS")
	appends(t, s, numbers("a", 1, 8)...)
	err := s.Append(t.Context(), numbers("a", 9, 12))
	if err == nil || !strings.Contains(err.Error(), "maximum messages exceeded") {
		t.Errorf("a full stream says %v", err)
	}
	counts(t, s, "a", 1, 8)
	settings.MaxMsgs = 100
	create(t, js, settings)
	appends(t, s, numbers("a", 9, 12)...)
	counts(t, s, "a", 1, 12)
}

// A stream that is deleted is missed at once; where it is made anew, feeds go on.
func TestDeletedStream(t *testing.T) {
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	s := open(t, js, "FEEDS")
	appends(t, s, numbers("a", 1, 3)...)
	if err := js.DeleteStream(t.Context(), "FEEDS"); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), numbers("a", 4, 5)); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("Append ended with %v", err)
	}
	if _, err := s.Last(t.Context(), []string{"b"}); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("Last ended with %v", err)
	}
	create(t, js, Settings("FEEDS"))
	appends(t, s, numbers("a", 4, 5)...)
	counts(t, s, "a", 4, 5)
}

// What a user may not do is said, although NATS tells the connection alone.
func TestPermissions(t *testing.T) {
	dir := t.TempDir()
	user := &server.User{Username: "reader", Password: "x", Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Deny: []string{"feeds.>"}},
	}}
	options := &server.Options{JetStream: true, StoreDir: dir, DontListen: true, NoLog: true, NoSigs: true,
		Users: []*server.User{user, {Username: "admin", Password: "x"}}}
	ns, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	as := func(name string) jetstream.JetStream {
		nc, err := nats.Connect("", nats.InProcessServer(ns), nats.UserInfo(name, "x"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(500*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		return js
	}
	create(t, as("admin"), Settings("FEEDS"))
	s := open(t, as("reader"), "FEEDS")
	if err := s.Append(t.Context(), numbers("a", 1, 2)); err == nil || !strings.Contains(strings.ToLower(err.Error()), "permissions violation") {
		t.Errorf("Append ended with %v", err)
	} else {
		t.Log(err)
	}
}

// A batch that is larger than the server takes is the job's fault.
func TestTooManyRecords(t *testing.T) {
	js := connect(t, serve(t))
	create(t, js, Settings("FEEDS"))
	s := open(t, js, "FEEDS")
	var bad *result.ArgumentError
	if err := s.Append(t.Context(), numbers("a", 1, 10_001)); !errors.As(err, &bad) || bad.Value != 10_001 {
		t.Errorf("Append ended with %v", err)
	}
	appends(t, s, numbers("a", 1, 10_000)...)
	counts(t, s, "a", 1, 10_000)
}

// A record whose headers alone are too large is the job's fault; the text of a gap's
// error is cut.
func TestHeadersTooLarge(t *testing.T) {
	js := connect(t, serve(t))
	settings := Settings("FEEDS")
	settings.MaxMsgSize = 10_000
	create(t, js, settings)
	s := open(t, js, "FEEDS")
	long := strings.Repeat("x", 10_000)
	var bad *result.ArgumentError
	if err := s.Append(t.Context(), []feed.Record{{Feed: "a", Cursor: long}}); !errors.As(err, &bad) {
		t.Errorf("Append ended with %v", err)
	}
	appends(t, s, feed.Record{Feed: "a", Gap: &wsflow.Gap{Status: result.Status{Err: errors.New("\xff" + long)}}})
	last, err := s.Last(t.Context(), []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	if text := last["a"].Gap.Status.Err.Error(); len(text) > 1024 || !strings.HasPrefix(text, "\uFFFDxxx") {
		t.Errorf("the error of the gap is %q", text)
	}
}

// Without a server there is an error at the end of the timeout, or of the context.
func TestNoServer(t *testing.T) {
	server := serve(t)
	js := connect(t, server)
	create(t, js, Settings("FEEDS"))
	s := open(t, js, "FEEDS")
	s.timeout = 100 * time.Millisecond
	server.Close()
	if err := s.Append(t.Context(), numbers("a", 1, 2)); err == nil || !strings.Contains(err.Error(), "not connected to NATS") {
		t.Errorf("Append ended with %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough of it"))
	if _, err := s.Last(ctx, []string{"a"}); err == nil || !strings.Contains(err.Error(), "enough of it") {
		t.Errorf("Last ended with %v", err)
	}
}

func TestStoreArguments(t *testing.T) {
	js := connect(t, serve(t))
	for name, change := range map[string]func(*jetstream.StreamConfig){
		"AllowAtomicPublish": func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"AllowDirect":        func(c *jetstream.StreamConfig) { c.AllowDirect = false },
		"Retention":          func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy },
		"Subjects":           func(c *jetstream.StreamConfig) { c.Subjects = []string{"x." + c.Name} },
		"NoAck":              func(c *jetstream.StreamConfig) { c.NoAck, c.AllowAtomicPublish = true, true },
	} {
		settings := Settings(name)
		change(&settings)
		if _, err := js.CreateStream(t.Context(), settings); err != nil {
			t.Logf("%s: the server refuses by itself: %v", name, err)
			continue
		}
		var bad *result.ArgumentError
		if _, err := NewStore(t.Context(), js, name); !errors.As(err, &bad) || !strings.Contains(bad.Name, name) {
			t.Errorf("the error is %v, want one of %s", err, name)
		}
	}
	create(t, js, Settings("GOOD"))
	s := open(t, js, "GOOD")
	var bad *result.ArgumentError
	var none context.Context
	for what, err := range map[string]error{
		"no context":       call(NewStore(none, js, "GOOD")),
		"no JetStream":     call(NewStore(t.Context(), nil, "GOOD")),
		"a name too long":  s.Append(t.Context(), []feed.Record{{Feed: strings.Repeat("*", 400)}}),
		"no name":          s.Append(t.Context(), []feed.Record{{}}),
		"a cursor":         s.Append(t.Context(), []feed.Record{{Feed: "a", Cursor: strings.Repeat("x", 1<<15)}}),
		"no context for x": s.Append(none, nil),
	} {
		if !errors.As(err, &bad) {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
	if _, err := NewStore(t.Context(), js, "NONE"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("without a stream the error is %v", err)
	}
}

func call[T any](_ T, err error) error { return err }
