package jetstream

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/stream"
)

const (
	benchSize  = 256 // bytes of a record
	benchFeeds = 10
)

var benchData = make([]byte, benchSize)

// BenchmarkStore compares what a job stores in a second with a loop that does nothing
// but publish atomic batches, and with the fast batch. They take turns on one server,
// which acknowledges what is on the disk; each figure is the median of the rounds.
func BenchmarkStore(b *testing.B) {
	for _, batch := range []int{1000, 4000} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) { benchmarkStore(b, batch) })
	}
}

const (
	benchBatches = 8   // in a turn
	benchFast    = 200 // records of a turn of the fast batch
)

func benchmarkStore(b *testing.B, batch int) {
	js := connect(b, serve(b))
	settings := Settings("FEEDS")
	settings.AllowBatchPublish = true
	create(b, js, settings)
	records := benchBatches * batch
	turns := []struct {
		name    string
		records int
		store   func(s *Store) error
		rates   []float64
	}{
		{name: "bare", records: records, store: func(s *Store) error { return bare(b, s, records, batch) }},
		{name: "append", records: records, store: func(s *Store) error { return appending(b, s, records, batch) }},
		{name: "run", records: records, store: func(s *Store) error { return running(b, s, records, batch) }},
		{name: "fast", records: benchFast, store: func(s *Store) error { return fast(b, s, benchFast) }},
	}
	for b.Loop() {
		for i := range turns {
			s := open(b, js, "FEEDS")
			start := time.Now()
			if err := turns[i].store(s); err != nil {
				b.Fatal(err)
			}
			turns[i].rates = append(turns[i].rates, float64(turns[i].records)/time.Since(start).Seconds())
			clearStream(b, js)
		}
	}
	median := func(i int) float64 {
		slices.Sort(turns[i].rates)
		return turns[i].rates[len(turns[i].rates)/2]
	}
	b.ReportMetric(median(0), "bare/s")
	b.ReportMetric(median(1)/median(0), "append-of-bare")
	b.ReportMetric(median(2)/median(0), "run-of-bare")
	b.ReportMetric(median(2)/median(3), "run-of-fast")
}

// clearStream removes all records.
func clearStream(b *testing.B, js jetstream.JetStream) {
	s, err := js.Stream(b.Context(), "FEEDS")
	if err == nil {
		err = s.Purge(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
}

// bare is a loop of atomic batches without fences.
func bare(b *testing.B, s *Store, n, batch int) error {
	for left := n; left > 0; left -= batch {
		messages := make([]*nats.Msg, min(batch, left))
		for i := range messages {
			messages[i] = &nats.Msg{Subject: s.Subject(fmt.Sprint("feed.", i%benchFeeds)), Data: benchData, Header: nats.Header{}}
		}
		if _, err := jetstreamext.PublishMsgBatch(b.Context(), s.js, messages); err != nil {
			return err
		}
	}
	return nil
}

// appending is a loop of Append.
func appending(b *testing.B, s *Store, n, batch int) error {
	for at := 0; at < n; at += batch {
		records := make([]feed.Record, min(batch, n-at))
		for i := range records {
			records[i] = feed.Record{Feed: fmt.Sprint("feed.", i%benchFeeds), Data: benchData, Cursor: strconv.Itoa(at + i)}
		}
		if err := s.Append(b.Context(), records); err != nil {
			return err
		}
	}
	return nil
}

// fast publishes by the fast batch, which has no fences.
func fast(b *testing.B, s *Store, n int) error {
	p, err := jetstreamext.NewFastPublisher(s.js)
	if err != nil {
		return err
	}
	for i := range n {
		if _, err := p.Add(s.Subject(fmt.Sprint("feed.", i%benchFeeds)), benchData); err != nil {
			return err
		}
	}
	_, err = p.Close(b.Context())
	return err
}

// running is a job over connections, whose peers send as fast as they can.
func running(b *testing.B, s *Store, n, batch int) error {
	job := &feed.Job{Store: s, Batch: batch, Exact: true, Open: func(context.Context, string, feed.Record) (stream.Source, error) {
		ours, theirs := net.Pipe()
		go flood(theirs, n/benchFeeds) // ends with the connection
		return stream.New(ours, stream.Client, nil)
	}}
	at := 0
	job.Record = func(m stream.Message) (feed.Record, bool) {
		at++
		return feed.Record{Data: m.Data, Cursor: strconv.Itoa(at)}, true
	}
	for i := range benchFeeds {
		job.Feeds = append(job.Feeds, fmt.Sprint("feed.", i))
	}
	return feed.Run(b.Context(), job)
}

// flood sends so many messages and a Close, and reads the one that answers it.
func flood(c net.Conn, messages int) {
	defer c.Close()
	const most = 128 // frames in a write
	frame := append(binary.BigEndian.AppendUint16([]byte{0x82, 126}, benchSize), benchData...)
	var frames []byte
	for range most {
		frames = append(frames, frame...)
	}
	for ; messages > 0; messages -= most {
		if _, err := c.Write(frames[:min(messages, most)*len(frame)]); err != nil {
			return
		}
	}
	c.Write([]byte{0x88, 2, 0x03, 0xe8})
	io.ReadFull(c, make([]byte, 8))
}
