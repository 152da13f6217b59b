package feed_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// logged returns a logger, and what is logged with it from a level on.
func logged(level zapcore.Level) (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(level)
	return zap.New(core), logs
}

// A job that cannot be done is refused before anything is opened.
func TestRunArguments(t *testing.T) {
	open := func(context.Context, string, feed.Record) (stream.Source, error) {
		t.Error("a feed is opened")
		return nil, errors.New("no")
	}
	good := feed.Job{Feeds: []string{"a"}, Open: open, Store: feed.NewMemory()}
	change := func(f func(*feed.Job)) *feed.Job {
		j := good
		f(&j)
		return &j
	}
	for name, job := range map[string]*feed.Job{
		"feed.Job":          nil,
		"feed.Job.Feeds[1]": change(func(j *feed.Job) { j.Feeds = []string{"a", "a"} }),
		"feed.Job.Feeds[0]": change(func(j *feed.Job) { j.Feeds = []string{""} }),
		"feed.Job.Open":     change(func(j *feed.Job) { j.Open = nil }),
		"feed.Job.Store":    change(func(j *feed.Job) { j.Store = nil }),
		"feed.Job.Batch":    change(func(j *feed.Job) { j.Batch = -1 }),
		"feed.Job.Linger":   change(func(j *feed.Job) { j.Linger = -1 }),
	} {
		var bad *result.ArgumentError
		if err := feed.Run(t.Context(), job); !errors.As(err, &bad) || bad.Name != name {
			t.Errorf("the error is %v, want one of %s", err, name)
		}
	}
	var bad *result.ArgumentError
	var none context.Context
	if err := feed.Run(none, &good); !errors.As(err, &bad) || bad.Name != "ctx" {
		t.Errorf("the error is %v, want one of ctx", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := feed.Run(ctx, &good); err != nil {
		t.Errorf("under a context that has ended Run returns %v", err)
	}
	if err := feed.Run(t.Context(), change(func(j *feed.Job) { j.Feeds = nil })); err != nil {
		t.Errorf("without feeds Run returns %v", err)
	}
}

// A feed that does not open is tried again, with waits that grow, and its reason is
// logged. It holds no other feed up.
func TestRunNeverOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, most: 10}
		m := feed.NewMemory()
		var tries atomic.Int32
		log, logs := logged(zap.WarnLevel)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		job := &feed.Job{Feeds: []string{"good", "bad", "none", "slow"}, Record: record, Store: m, Logger: log}
		job.Open = func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
			switch name {
			case "bad":
				tries.Add(1)
				return nil, errors.New("wrong password")
			case "none":
				return nil, nil
			case "slow":
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return v.open(ctx, name, last)
		}
		if err := feed.Run(ctx, job); err != nil {
			t.Errorf("Run: %v", err)
		}
		v.running.Wait()
		exact(t, m, "good", 10)
		if n := tries.Load(); n < 120 || n > 480 { // waits of up to 30 s, half of that on average
			t.Errorf("in an hour the feed was tried %d times", n)
		}
		for _, part := range []string{"wrong password", "it returned no source", "has not returned"} {
			if !mentions(logs, part) {
				t.Errorf("nothing is logged of %q", part)
			}
		}
	})
}

// mentions reports that a line or an error of the log has a text.
func mentions(logs *observer.ObservedLogs, part string) bool {
	for _, line := range logs.All() {
		if text, _ := line.ContextMap()["error"].(string); strings.Contains(line.Message, part) || strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// A broken store fails with an error until it is mended.
type broken struct {
	*feed.Memory
	err    error
	mended atomic.Bool
}

func (s *broken) Append(ctx context.Context, records []feed.Record) error {
	if !s.mended.Load() {
		return s.err
	}
	return s.Memory.Append(ctx, records)
}

// A store that refuses for a while is waited for; its reason is logged, and nothing
// is lost.
func TestRunStoreRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, most: 5000}
		s := &broken{Memory: feed.NewMemory(), err: errors.New("the disk is full")}
		time.AfterFunc(10*time.Minute, func() { s.mended.Store(true) })
		log, logs := logged(zap.WarnLevel)
		if err := feed.Run(t.Context(), &feed.Job{Feeds: names("f%d", 3), Open: v.open, Record: record, Store: s, Logger: log}); err != nil {
			t.Errorf("Run: %v", err)
		}
		v.running.Wait()
		for _, f := range names("f%d", 3) {
			exact(t, s.Memory, f, v.most)
		}
		if !mentions(logs, "the disk is full") {
			t.Error("nothing is logged of the disk")
		}
		if n := logs.Len(); n < 120 || n > 480 { // waits of up to 5 s, half of that on average
			t.Errorf("there are %d lines in the log", n)
		}
	})
}

// A store that stays broken holds the end of a job up for no more than 10 s, and what
// was received and not stored is counted.
func TestRunStoreStaysBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, pause: 20 * time.Millisecond}
		s := &broken{Memory: feed.NewMemory(), err: errors.New("the disk is full")}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		err := feed.Run(ctx, &feed.Job{Feeds: names("f%d", 3), Open: v.open, Record: record, Store: s})
		if err == nil || !strings.Contains(err.Error(), "messages that were received are not stored") {
			t.Errorf("Run returns %v", err)
		}
		if took := time.Since(start); took < 70*time.Second || took > 71*time.Second {
			t.Errorf("Run took %v, want 70 s", took)
		}
		v.running.Wait()
	})
}

// What no store can hold ends the job.
func TestRunStoreArgument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, pause: 20 * time.Millisecond}
		bad := &result.ArgumentError{Name: "the number of records", Value: 2000, Allowed: "up to 1000"}
		s := &broken{Memory: feed.NewMemory(), err: bad}
		if err := feed.Run(t.Context(), &feed.Job{Feeds: names("f%d", 3), Open: v.open, Record: record, Store: s}); err != error(bad) {
			t.Errorf("Run returns %v, want %v", err, bad)
		}
		v.running.Wait()
	})
}

// A function that panics, or ends the goroutine, ends the job, and nothing of it is left.
func TestRunPanics(t *testing.T) {
	why := errors.New("a bug")
	for name, test := range map[string]struct {
		open, record func()
		want         error // nil for none that is known
	}{
		"Open panics":    {open: func() { panic(why) }, want: why},
		"Record panics":  {record: func() { panic(why) }, want: why},
		"Open goes":      {open: runtime.Goexit},
		"Record goes":    {record: runtime.Goexit},
		"Record says no": {record: func() { panic("no") }},
		"Open says so":   {open: func() { panic("no") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &venue{t: t, pause: 20 * time.Millisecond}
				job := &feed.Job{Feeds: names("f%d", 3), Store: feed.NewMemory()}
				job.Open = func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
					if test.open != nil && name == "f1" {
						test.open()
					}
					return v.open(ctx, name, last)
				}
				job.Record = func(m stream.Message) (feed.Record, bool) {
					if test.record != nil && m.String() == "f1 5" {
						test.record()
					}
					return record(m)
				}
				ended := make(chan error, 1)
				go func() {
					err := errors.New("Run has ended its goroutine")
					defer func() { ended <- err }()
					err = feed.Run(t.Context(), job)
				}()
				if err := <-ended; err == nil || test.want != nil && !errors.Is(err, test.want) {
					t.Errorf("Run returns %v, want %v", err, test.want)
				}
				v.running.Wait()
			})
		})
	}
}

// A hasty crew ends before the job.
type hasty struct{ err error }

func (h hasty) Mine(ctx context.Context, all []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		if yield(all, nil) {
			yield(nil, h.err)
		}
	}
}

func TestRunCrewEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &venue{t: t, pause: 20 * time.Millisecond}
		why := errors.New("the bucket has gone")
		err := feed.Run(t.Context(), &feed.Job{Feeds: names("f%d", 3), Open: v.open, Record: record, Store: feed.NewMemory(), Crew: hasty{why}})
		if !errors.Is(err, why) {
			t.Errorf("Run returns %v, want %v", err, why)
		}
		v.running.Wait()
	})
}

// What a source that reconnects by itself tells of gaps is stored in its place, unless
// nothing was missed, or no record follows it. The cursor goes on behind it.
func TestRunGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := feed.NewMemory()
		var feeding sync.WaitGroup
		job := &feed.Job{Feeds: []string{"f"}, Store: m}
		job.Open = func(ctx context.Context, _ string, _ feed.Record) (stream.Source, error) {
			relay, feeder := stream.NewRelay(nil)
			feeding.Go(func() {
				put := func(text string) { feeder.Put(ctx, stream.Message{Type: stream.Text, Data: []byte(text)}) }
				put("1")
				feeder.Notify(ctx, nil, &stream.Gap{From: 1})
				feeder.Notify(ctx, nil, &stream.Gap{From: 1, To: 2, Attempts: 3})
				put("-")
				feeder.Notify(ctx, nil, &stream.Gap{From: 2})
				feeder.Notify(ctx, nil, &stream.Gap{From: 2, To: 3, Attempts: 4})
				put("2")
				feeder.Notify(ctx, nil, &stream.Gap{From: 3})
				feeder.Notify(ctx, nil, &stream.Gap{From: 3, To: 4, Continued: true})
				put("3")
				feeder.Notify(ctx, nil, &stream.Gap{From: 4})
				feeder.Notify(ctx, nil, &stream.Gap{From: 4, To: 5})
				feeder.Notify(ctx, nil, &stream.Gap{From: 5, Final: true})
				feeder.End(result.Status{Code: result.StatusNormalClosure})
			})
			return relay, nil
		}
		job.Record = func(m stream.Message) (feed.Record, bool) {
			if m.String() == "-" {
				return feed.Record{}, false
			}
			if m.String() == "2" {
				return feed.Record{Data: m.Data}, true // it has no cursor
			}
			return feed.Record{Data: m.Data, Cursor: "c" + m.String()}, true
		}
		if err := feed.Run(t.Context(), job); err != nil {
			t.Errorf("Run: %v", err)
		}
		feeding.Wait()
		var got []string
		for _, r := range m.Records("f") {
			text := string(r.Data) + " " + r.Cursor
			if r.Gap != nil {
				text += fmt.Sprint(" gap behind ", r.Gap.From)
			}
			got = append(got, text)
		}
		if want := "1 c1, c1 gap behind 1,2 c1,3 c3"; strings.Join(got, ",") != want {
			t.Errorf("the records are %q, want %q", strings.Join(got, ","), want)
		}
	})
}

// Sources are closed in good order when the job ends, and cut if their peers do not
// answer.
func TestRunCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		codes := make(chan result.StatusCode, 1)
		job := &feed.Job{Feeds: []string{"polite", "deaf"}, Store: feed.NewMemory()}
		var peers []net.Conn
		job.Open = func(_ context.Context, name string, _ feed.Record) (stream.Source, error) {
			ours, theirs := net.Pipe()
			if name == "deaf" {
				peers = append(peers, theirs)
				return stream.New(ours, stream.Client, nil)
			}
			server, err := stream.New(theirs, stream.Server, nil)
			if err != nil {
				return nil, err
			}
			go func() { // ends with the connection
				for range server.All(context.Background()) {
				}
				status, _ := server.Result().Status()
				codes <- status.Code
			}()
			return stream.New(ours, stream.Client, nil)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		start := time.Now()
		if err := feed.Run(ctx, job); err != nil {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(start); took > 71*time.Second {
			t.Errorf("Run took %v", took)
		}
		if code := <-codes; code != result.StatusNormalClosure {
			t.Errorf("the peer got the code %d, want 1000", code)
		}
		for _, c := range peers {
			c.Close()
		}
	})
}
