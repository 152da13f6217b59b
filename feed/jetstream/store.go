package jetstream

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/internal/check"
	"github.com/wsflow/wsflow/result"
)

// Settings returns the settings of a stream that can hold feeds. It keeps every
// record: a program that sets MaxAge, MaxBytes or MaxMsgs says how much is kept.
// What is removed may be the last record of a feed that was silent for long, and
// its cursor with it: MaxAge must be more than the longest silence or outage. Set
// Replicas to 3 on a cluster. AllowAtomicPublish and AllowDirect must stay, and
// the one subject must end in ".>".
//
//	settings := jetstream.Settings("TRADES")
//	settings.MaxAge = 30 * 24 * time.Hour
//	_, err := js.CreateOrUpdateStream(ctx, settings)
func Settings(name string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               name,
		Subjects:           []string{"feeds." + name + ".>"},
		AllowAtomicPublish: true,
		AllowDirect:        true,
	}
}

// A Store is a [feed.Store] in a stream of JetStream. A record is a message on a
// subject of its feed's own.
//
// All methods may be called from many goroutines, but not Last and Append for the
// same feed at the same time.
type Store struct {
	// Never changes.
	js      jetstream.JetStream
	stream  string
	prefix  string        // of subjects, with a dot at its end
	timeout time.Duration // how long an answer may take
	most    int           // bytes in a message of the stream, headers included
	seed    maphash.Seed
	id      string // of this view, in the ids of its batches

	mu       sync.Mutex
	position map[string]uint64 // by feed: the sequence of its last record, as far as is known; guarded by mu
	batches  uint64            // how many were begun; guarded by mu
}

var _ feed.Store = (*Store)(nil)

// NewStore returns one worker's view of a stream, which must be there and have
// such settings as [Settings] returns. Two workers need two of them, also in one
// process.
//
// An answer of the server may take as long as js was told to wait for one
// ([jetstream.WithDefaultTimeout]), 5 s if it was told nothing. Where the connection to
// NATS is closed for good, as it is by default two minutes after it was lost, the error
// is a *result.ArgumentError, which ends a job: connect with nats.MaxReconnects(-1).
func NewStore(ctx context.Context, js jetstream.JetStream, stream string) (*Store, error) {
	if err := check.Context(ctx); err != nil {
		return nil, err
	}
	if js == nil {
		return nil, &result.ArgumentError{Name: "js", Allowed: "a JetStream, not nil"}
	}
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("feed/jetstream: stream %q: %w", stream, err)
	}
	c := s.CachedInfo().Config
	prefix, err := prefixOf(c)
	if err != nil {
		return nil, err
	}
	most := int(js.Conn().MaxPayload())
	if c.MaxMsgSize > 0 {
		most = min(most, int(c.MaxMsgSize))
	}
	return &Store{
		js: js, stream: stream, prefix: prefix, timeout: js.Options().DefaultTimeout, most: most,
		seed: maphash.MakeSeed(), id: rand.Text()[:16], position: map[string]uint64{},
	}, nil
}

// prefixOf returns the prefix of the subjects of a stream, or says what its
// settings lack.
func prefixOf(c jetstream.StreamConfig) (string, error) {
	bad := func(field string, value any, allowed string) error {
		return &result.ArgumentError{Name: fmt.Sprintf("the setting %s of the stream %s", field, c.Name), Value: value, Allowed: allowed}
	}
	switch {
	case !c.AllowAtomicPublish:
		return "", bad("AllowAtomicPublish", false, "true")
	case !c.AllowDirect:
		return "", bad("AllowDirect", false, "true")
	case c.Retention != jetstream.LimitsPolicy:
		return "", bad("Retention", c.Retention, "jetstream.LimitsPolicy: what is read stays")
	case c.NoAck:
		return "", bad("NoAck", true, "false")
	case c.MaxMsgsPerSubject > 0 && c.Discard == jetstream.DiscardNew:
		return "", bad("MaxMsgsPerSubject", c.MaxMsgsPerSubject, "no limit, or the policy DiscardOld")
	case len(c.Subjects) != 1 || !strings.HasSuffix(c.Subjects[0], ".>"):
		return "", bad("Subjects", c.Subjects, `one subject that ends in ".>"`)
	}
	return strings.TrimSuffix(c.Subjects[0], ">"), nil
}

// at returns the positions of the feeds of some records.
func (s *Store) at(records []feed.Record) map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := map[string]uint64{}
	for i := range records {
		at[records[i].Feed] = s.position[records[i].Feed]
	}
	return at
}

func (s *Store) moved(to map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f, seq := range to {
		s.position[f] = seq
	}
}

// Last implements [feed.Store].
func (s *Store) Last(ctx context.Context, feeds []string) (map[string]feed.Record, error) {
	if err := s.usable(ctx, feeds); err != nil {
		return nil, err
	}
	found, err := s.lastOf(ctx, feeds)
	if err != nil {
		return nil, err
	}
	at, last := map[string]uint64{}, map[string]feed.Record{}
	for _, f := range feeds {
		at[f] = 0
		if m, ok := found[f]; ok {
			at[f], last[f] = m.sequence, m.record
		}
	}
	s.moved(at)
	return last, nil
}

// usable checks the arguments of a call.
func (s *Store) usable(ctx context.Context, feeds []string) error {
	if err := check.Context(ctx); err != nil {
		return err
	}
	for _, f := range feeds {
		if err := checkName(f); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// wait bounds the time for which an answer is waited for.
func (s *Store) wait(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("no answer within %v", s.timeout))
}

// failed says why a request was not answered. NATS reports to the connection, and
// not to the request, what the user may not do.
func (s *Store) failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	nc := s.js.Conn()
	switch last := nc.LastError(); {
	case nc.IsClosed():
		return &result.ArgumentError{Name: "connection to NATS", Value: "closed", Allowed: "one that is open; nats.MaxReconnects(-1) lets it connect again for ever"}
	case !nc.IsConnected() && last != nil:
		return fmt.Errorf("feed/jetstream: %s: not connected to NATS (%v: %w): %w", what, nc.Status(), last, err)
	case !nc.IsConnected():
		return fmt.Errorf("feed/jetstream: %s: not connected to NATS (%v): %w", what, nc.Status(), err)
	case last != nil && strings.Contains(strings.ToLower(last.Error()), "permissions violation"):
		return fmt.Errorf("feed/jetstream: %s: %w (%w)", what, err, last)
	}
	return fmt.Errorf("feed/jetstream: %s: %w", what, err)
}

// A message is a stored record and its headers.
type message struct {
	record   feed.Record
	sequence uint64
	batch    string // the id of the batch that it came with
}

func messageOf(name string, sequence uint64, h nats.Header, data []byte) message {
	return message{record: decode(name, h, data), sequence: sequence, batch: h.Get(batchID)}
}
