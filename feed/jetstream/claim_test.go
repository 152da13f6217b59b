package jetstream

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// Thousands of feeds are claimed by a worker of a crew, each behind its last record. That
// takes a request for each thousand of them, and 3 s for ten thousand, which is asked
// for where the machine has nothing else to do.
func TestManyFeeds(t *testing.T) {
	const most = 3 * time.Second
	feeds := pick(2000, 10_000)
	server := serve(t)
	js := connect(t, server)
	create(t, js, Settings("FEEDS"))
	kv, err := js.CreateKeyValue(t.Context(), CrewSettings("crew", time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	theirs := connect(t, server)
	job := &feed.Job{Exact: true, Store: open(t, theirs, "FEEDS")}
	var records []feed.Record
	for i := range feeds {
		job.Feeds = append(job.Feeds, fmt.Sprint("market.trades.", i))
		records = append(records, feed.Record{Feed: job.Feeds[i], Data: []byte("x"), Cursor: strconv.Itoa(i)})
	}
	for s := open(t, js, "FEEDS"); len(records) > 0; {
		n := min(len(records), 1000)
		appends(t, s, records[:n]...)
		records = records[n:]
	}

	var opened sync.WaitGroup
	opened.Add(feeds)
	job.Open = func(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
		defer opened.Done()
		if name != "market.trades."+last.Cursor {
			t.Errorf("%s is opened behind %+v", name, last)
		}
		relay, feeder := stream.NewRelay(nil)
		context.AfterFunc(ctx, func() { feeder.End(result.Status{Code: result.StatusNormalClosure}) })
		return relay, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	start, asked := time.Now(), theirs.Conn().Stats().OutMsgs
	ended := make(chan error, 1)
	go func() {
		crew, err := NewCrew(ctx, kv, "worker", nil)
		if err == nil {
			job.Crew = crew
			err = feed.Run(ctx, job)
		}
		ended <- err
	}()
	opened.Wait()
	took, requests := time.Since(start), theirs.Conn().Stats().OutMsgs-asked
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	t.Logf("%d feeds were claimed in %v, with %d requests for last records", feeds, took.Round(time.Millisecond), requests)
	if requests > uint64(feeds/maxSubjects+2) {
		t.Errorf("there were %d requests for the last records of %d feeds", requests, feeds)
	}
	if *long && took > most {
		t.Errorf("%d feeds were claimed in %v, want %v", feeds, took, most)
	}
}
