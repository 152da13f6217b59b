package jetstream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
)

// Subject returns the subject of a feed's records: what the stream's subject has
// before the >, and the name. Each byte of the name that a subject cannot have is
// spelled as in a URL, % and two digits.
func (s *Store) Subject(name string) string { return s.prefix + spellName(name) }

// Decode returns the record of a message of the stream, for programs that read it
// by a consumer of their own. The record's Data is data.
func (s *Store) Decode(subject string, h nats.Header, data []byte) feed.Record {
	return decode(s.nameOf(subject), h, data)
}

func (s *Store) nameOf(subject string) string { return unspell(strings.TrimPrefix(subject, s.prefix)) }

// Records returns what is stored when the loop begins of the feeds, or of all feeds
// if none is named, in the order in which it was stored. The loop ends with an error
// if reading fails.
func (s *Store) Records(ctx context.Context, feeds ...string) iter.Seq2[feed.Record, error] {
	return func(yield func(feed.Record, error) bool) {
		err := s.scan(ctx, feeds, func(m message) bool { return yield(m.record, nil) })
		if err != nil {
			yield(feed.Record{}, err)
		}
	}
}

// scan calls yield with what is stored, until that returns false.
func (s *Store) scan(ctx context.Context, feeds []string, yield func(message) bool) error {
	if err := s.usable(ctx, feeds); err != nil {
		return err
	}
	info, err := s.js.Stream(ctx, s.stream)
	if err != nil {
		return fmt.Errorf("feed/jetstream: stream %q: %w", s.stream, err)
	}
	last := info.CachedInfo().State.LastSeq
	consumer, err := s.js.OrderedConsumer(ctx, s.stream, jetstream.OrderedConsumerConfig{FilterSubjects: s.filter(feeds)})
	if err != nil {
		return fmt.Errorf("feed/jetstream: stream %q: %w", s.stream, err)
	}
	if consumer.CachedInfo().NumPending == 0 {
		return nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("feed/jetstream: stream %q: %w", s.stream, err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		m, err := messages.Next(jetstream.NextMaxWait(s.timeout))
		if errors.Is(err, nats.ErrTimeout) { // the rest may have been removed
			var now *jetstream.ConsumerInfo
			if now, err = consumer.Info(ctx); err == nil && now.NumPending > 0 {
				continue
			}
			if err == nil {
				return nil
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("feed/jetstream: stream %q: %w", s.stream, err)
		}
		at, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("feed/jetstream: stream %q: %w", s.stream, err)
		}
		if at.Sequence.Stream > last || !yield(messageOf(s.nameOf(m.Subject()), at.Sequence.Stream, m.Headers(), m.Data())) {
			return nil
		}
		if at.Sequence.Stream == last || at.NumPending == 0 {
			return nil
		}
	}
}

// filter returns the subjects of the feeds, each once.
func (s *Store) filter(feeds []string) (all []string) {
	known := map[string]bool{}
	for _, f := range feeds {
		if subject := s.Subject(f); !known[subject] {
			known[subject] = true
			all = append(all, subject)
		}
	}
	return all
}
