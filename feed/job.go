package feed

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// A Job says which feeds are stored, and how. It is not modified.
type Job struct {
	// Feeds are the names of all feeds, of all workers. Each is there once, and none
	// is empty.
	Feeds []string
	// Open returns the messages of a feed behind its last record, which is zero for a
	// feed that has none: a [*stream.Conn], a *redial.Source, or what is built on
	// them. Whoever reads a feed for the first time finds Cursor empty.
	//
	// Its context ends when the source is no longer wanted: it may bound the source's
	// life. Run closes a source that has Close or CloseNow, as those two have.
	//
	// Open is called on a goroutine of its own, for many feeds at once. Where they
	// share something, such as a limit of dials, Open itself waits for it. It must
	// return soon after its context ends. Run waits for it for 10 s, then goes on without
	// it, and closes a source that comes later. An error is logged, and Open is called
	// again after a random wait of up to 30 s, on top of what the server asks for by an
	// error with a RetryAfter, such as *dial.HandshakeError. The same happens when a
	// source ends with an error. A source that ends with success is at its end for good.
	Open func(ctx context.Context, feed string, last Record) (stream.Source, error)
	// Exact says that Open's source misses nothing behind the last record. Otherwise,
	// where a feed was opened behind a record, a record with a Gap is stored before the
	// next one.
	Exact bool
	// Record makes a record of a message; ok false drops the message. It is called
	// for one message at a time, in order. The message is lent until the record is
	// stored: the record may use its Data. Record need not set Feed, and where it sets
	// no Cursor the one of the feed's record before is kept. nil stores the data of
	// each message as it is.
	Record func(m stream.Message) (r Record, ok bool)
	// Store is where the records go. It must not be nil.
	Store Store
	// Crew shares the feeds among workers. nil means that all are this worker's; Run
	// returns then when all have ended with success.
	Crew Crew
	// Batch is the most records in one Append. Zero means 1,000. It must not be
	// negative, nor more than the Store takes.
	Batch int
	// Linger is how long an Append that is not full waits for more records, unless a
	// source ends or a feed is given up. Zero means that it does not wait: an Append
	// stores what came during the one before. It must not be negative.
	Linger time.Duration
	// Logger gets what goes wrong, with its reason: feeds that do not open, a Store
	// that refuses, feeds that others have. It gets at most 10 lines of a kind in a
	// second. nil means none.
	Logger *zap.Logger
}

const (
	defaultBatch = 1000
	maxLines     = 10 // of a kind in a second
)

// complete returns the job with defaults in place of zeros.
func (j *Job) complete() (Job, error) {
	bad := func(field string, value any, allowed string) (Job, error) {
		return Job{}, &result.ArgumentError{Name: "feed.Job" + field, Value: value, Allowed: allowed}
	}
	if j == nil {
		return bad("", nil, "a job, not nil")
	}
	all := *j
	known := make(map[string]bool, len(all.Feeds))
	for i, f := range all.Feeds {
		if f == "" || known[f] {
			return bad(fmt.Sprintf(".Feeds[%d]", i), f, "a name that is not empty and was not there before")
		}
		known[f] = true
	}
	switch {
	case all.Open == nil:
		return bad(".Open", nil, "a function, not nil")
	case all.Store == nil:
		return bad(".Store", nil, "a Store, not nil")
	case all.Batch < 0:
		return bad(".Batch", all.Batch, "a number of records, or 0 for 1000")
	case all.Linger < 0:
		return bad(".Linger", all.Linger, "a time that is not negative")
	}
	if all.Batch == 0 {
		all.Batch = defaultBatch
	}
	if all.Crew == nil {
		all.Crew = alone{}
	}
	if all.Record == nil {
		all.Record = func(m stream.Message) (Record, bool) { return Record{Data: m.Data}, true }
	}
	if all.Logger == nil {
		all.Logger = zap.NewNop()
	}
	all.Logger = all.Logger.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Second, maxLines, 0)
	}))
	return all, nil
}
