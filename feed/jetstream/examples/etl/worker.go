package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/reactivex/rxgo/v2"

	"github.com/wsflow/wsflow/feed"
	store "github.com/wsflow/wsflow/feed/jetstream"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

const (
	streamName = "ETL"
	bucketName = "ETL_WORKERS"
	barTrades  = 100
)

// create makes the stream and the bucket, if they are not there.
func create(ctx context.Context, js jetstream.JetStream) (*reading, error) {
	if _, err := js.CreateOrUpdateStream(ctx, store.Settings(streamName)); err != nil {
		return nil, err
	}
	if _, err := js.CreateOrUpdateKeyValue(ctx, store.CrewSettings(bucketName, time.Second)); err != nil {
		return nil, err
	}
	s, err := store.NewStore(ctx, js, streamName)
	return &reading{s}, err
}

// A worker stores its share of the feeds.
type worker struct {
	name   string
	market *market
	out    *log.Logger
	nc     *nats.Conn
	ended  chan struct{} // closed when the worker has ended
}

// start starts the worker, which runs until ctx ends.
func (w *worker) start(ctx context.Context, connect func() (*nats.Conn, error)) (err error) {
	if w.nc, err = connect(); err != nil {
		return err
	}
	js, err := jetstream.New(w.nc)
	if err != nil {
		return err
	}
	s, err := store.NewStore(ctx, js, streamName)
	if err != nil {
		return err
	}
	kv, err := js.KeyValue(ctx, bucketName)
	if err != nil {
		return err
	}
	crew, err := store.NewCrew(ctx, kv, w.name, nil)
	if err != nil {
		return err
	}
	job := &feed.Job{Feeds: w.market.names(), Open: w.open, Record: record, Exact: true, Store: s, Crew: talking{crew, w}}
	w.ended = make(chan struct{})
	go func() { // ends with ctx
		defer close(w.ended)
		defer w.nc.Close()
		if err := feed.Run(ctx, job); err != nil {
			w.out.Printf("%s: %v", w.name, err)
		}
	}()
	return nil
}

// A talking crew prints which feeds its worker has.
type talking struct {
	feed.Crew
	w *worker
}

func (t talking) Mine(ctx context.Context, all []string) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for list, err := range t.Crew.Mine(ctx, all) {
			if err == nil && ctx.Err() == nil {
				t.w.out.Printf("%s has %d feeds", t.w.name, len(list))
			}
			if !yield(list, err) {
				return
			}
		}
	}
}

// A bar is so many trades, the last of which is the cursor.
type bar struct {
	From, To int
	Large    int // trades that are large
	Volume   int // of those
}

// open returns the bars of a feed: a pipeline between its connection and a Relay.
func (w *worker) open(ctx context.Context, name string, last feed.Record) (stream.Source, error) {
	behind, _ := strconv.Atoi(last.Cursor) // 0 for a feed without a record
	conn, err := w.market.dial(behind)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.CloseNow(nil) }) // the bars are no longer wanted
	bars := conn.Observable(nil).
		Filter(isTrade).
		Map(parse).
		BufferWithCount(barTrades).
		Map(aggregate)
	relay, feeder := stream.NewRelay(nil)
	go func() { // ends with the connection
		feeder.End(result.Status{Code: result.StatusNormalClosure, Err: put(ctx, bars, feeder)})
	}()
	return relay, nil
}

// put puts bars into the Relay, until they end.
func put(ctx context.Context, bars rxgo.Observable, feeder *stream.Feeder) (err error) {
	for item := range bars.Observe() {
		switch {
		case item.E != nil:
			err = errors.Join(err, item.E)
		case err == nil: // behind an error comes what was left in the buffer
			err = feeder.Put(ctx, stream.Message{Type: stream.Text, Data: item.V.([]byte)})
		}
	}
	return err
}

func isTrade(message any) bool { return message.(stream.Message).String() != heartbeat }

func parse(_ context.Context, message any) (any, error) {
	var t trade
	_, err := fmt.Sscan(message.(stream.Message).String(), &t.n, &t.size)
	message.(stream.Message).Release()
	return t, err
}

// aggregate makes a bar of trades.
func aggregate(_ context.Context, trades any) (any, error) {
	all := trades.([]any)
	b := bar{From: all[0].(trade).n, To: all[len(all)-1].(trade).n}
	for _, t := range all {
		if size := t.(trade).size; size >= large {
			b.Large++
			b.Volume += size
		}
	}
	return json.Marshal(b)
}

// record makes a record of a bar: the feed goes on behind its last trade.
func record(m stream.Message) (feed.Record, bool) {
	var b bar
	if json.Unmarshal(m.Data, &b) != nil {
		return feed.Record{}, false
	}
	return feed.Record{Data: m.Data, Cursor: strconv.Itoa(b.To)}, true
}
