package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wsflow/wsflow/feed"
	"github.com/wsflow/wsflow/result"
)

// The headers of an atomic batch. The server stores all messages of one or none,
// which it decides when it gets the last, and keeps the headers.
//
// https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-50.md
const (
	batchID       = "Nats-Batch-Id"
	batchSequence = "Nats-Batch-Sequence"
	batchCommit   = "Nats-Batch-Commit"
	expectedLast  = jetstream.ExpectedLastSubjSeqHeader
)

// What the server answers to a batch that it refuses: a fence failed; another write
// to one of the subjects is under way; a message of the batch did not come; there are
// too many of them.
const (
	wrongLastSequence jetstream.ErrorCode = 10071
	underWay          jetstream.ErrorCode = 10164
	batchIncomplete   jetstream.ErrorCode = 10176
	batchTooLarge     jetstream.ErrorCode = 10199
)

const (
	maxTries = 3 // of an Append whose fences fail because records were removed
	maxLooks = 5 // at a stream that has less than is known of
	lookWait = 200 * time.Millisecond
)

// Append implements [feed.Store] by one atomic batch, in which the first record of
// each feed has a fence: the sequence that the feed's last record must have. A
// batch that comes too late fails at its own fences, whenever that is. So one that
// is repeated is stored once: the later one is refused, and the id of the former
// stands in the headers of what is stored.
//
// A server takes up to 1,000 records in a batch unless its configuration allows
// more (max_batch_size), as the embedded one's does. More are a *result.ArgumentError.
func (s *Store) Append(ctx context.Context, records []feed.Record) error {
	a := attempt{s: s, records: records, at: s.at(records)}
	if err := s.usable(ctx, a.feeds()); err != nil || len(records) == 0 {
		return err
	}
	// Records that retention removed take their fences with them, which is found out
	// by trying.
	for range maxTries {
		if err := a.prepare(); err != nil {
			return err
		}
		err := a.publish(ctx)
		if !fenced(err) {
			return err
		}
		done, err := a.settle(ctx, err)
		if done || err != nil {
			return err
		}
	}
	return errors.New("feed/jetstream: records are removed while others are written: does the stream keep too few?")
}

// fenced reports that a batch was refused for a fence.
func fenced(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == wrongLastSequence || api.ErrorCode == underWay)
}

// An attempt is an Append under way.
type attempt struct {
	s        *Store
	records  []feed.Record
	at       map[string]uint64 // by feed: behind which sequence the records are to stand
	messages []*nats.Msg
	id       string // what the ids begin with of all batches of these records behind these sequences
}

func (a *attempt) feeds() []string {
	var all []string
	for f := range a.at {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

// prepare makes the messages. Their id begins with what is the same if the Append
// is repeated, and with no other view.
func (a *attempt) prepare() error {
	var sum maphash.Hash
	sum.SetSeed(a.s.seed)
	a.messages = make([]*nats.Msg, len(a.records))
	seen := make(map[string]bool, len(a.at))
	for i := range a.records {
		r := &a.records[i]
		m, err := a.s.encode(r)
		if err != nil {
			return err
		}
		if !seen[r.Feed] {
			seen[r.Feed] = true
			fence := strconv.FormatUint(a.at[r.Feed], 10)
			m.Header[expectedLast] = []string{fence}
			sum.WriteString(fence)
		}
		for _, part := range []string{r.Feed, r.Cursor, strconv.Itoa(len(r.Data))} {
			sum.WriteString(part)
			sum.WriteByte(0)
		}
		sum.Write(r.Data)
		a.messages[i] = m
	}
	a.id = fmt.Sprintf("%s.%016x.", a.s.id, sum.Sum64())
	return nil
}

// An answer is what the server says of a batch.
type answer struct {
	Error    *jetstream.APIError `json:"error"`
	Sequence uint64              `json:"seq"` // of the last message
	Batch    string              `json:"batch"`
	Count    int                 `json:"count"`
}

// publish sends the batch, and waits for the answer.
func (a *attempt) publish(ctx context.Context) error {
	ctx, cancel := a.s.wait(ctx)
	defer cancel()
	id := a.id + strconv.FormatUint(a.s.begin(), 10)
	nc, last := a.s.js.Conn(), len(a.messages)-1
	for i, m := range a.messages {
		m.Header[batchID] = []string{id}
		m.Header[batchSequence] = []string{strconv.Itoa(i + 1)}
		if i == last {
			m.Header[batchCommit] = []string{"1"}
			break
		}
		if err := nc.PublishMsg(m); err != nil {
			return a.s.failed(ctx, "sending a batch", err)
		}
	}
	reply, err := nc.RequestMsgWithContext(ctx, a.messages[last])
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("feed/jetstream: stream %q is not there, or has no leader: %w", a.s.stream, err)
	case err != nil:
		return a.s.failed(ctx, fmt.Sprintf("waiting for the answer to a batch of %d records", len(a.messages)), err)
	}
	return a.took(id, reply.Data)
}

// begin counts a batch.
func (s *Store) begin() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches++
	return s.batches
}

// took reads the answer to a batch and notes where its records stand.
func (a *attempt) took(id string, text []byte) error {
	var got answer
	n := len(a.messages)
	switch err := json.Unmarshal(text, &got); {
	case err != nil:
		return fmt.Errorf("feed/jetstream: the answer to a batch cannot be read: %w", err)
	case got.Error != nil && got.Error.ErrorCode == batchIncomplete:
		return fmt.Errorf("feed/jetstream: the server refused a part of the batch, or did not get it: %w", got.Error)
	case got.Error != nil && got.Error.ErrorCode == batchTooLarge:
		return &result.ArgumentError{Name: "the number of records in an Append", Value: n, Allowed: "what the server takes: " + got.Error.Description}
	case got.Error != nil:
		return fmt.Errorf("feed/jetstream: stream %q: %w", a.s.stream, got.Error)
	case got.Batch != id || got.Count != n || got.Sequence < uint64(n):
		return fmt.Errorf("feed/jetstream: the answer to batch %s of %d records is %s", id, n, text)
	}
	to := make(map[string]uint64, len(a.at))
	for i := range a.records {
		to[a.records[i].Feed] = got.Sequence - uint64(n-1-i)
	}
	a.s.moved(to)
	return nil
}

// settle finds out why a fence failed: done says that the records are stored all
// the same, by an attempt before this one. Without an error, it is worth another
// attempt.
func (a *attempt) settle(ctx context.Context, why error) (done bool, err error) {
	found, err := a.look(ctx)
	if err != nil {
		return false, err
	}
	to := map[string]uint64{}
	for f, m := range found {
		if strings.HasPrefix(m.batch, a.id) {
			to[f] = m.sequence
		}
	}
	if len(to) > 0 {
		a.s.moved(to)
		return true, nil
	}
	conflict, removed := &feed.Conflict{}, 0
	for _, f := range a.feeds() {
		m, is := found[f]
		switch {
		case !is && a.at[f] != 0:
			a.at[f] = 0
			removed++
		case is && m.sequence != a.at[f]:
			conflict.Feeds = append(conflict.Feeds, f)
		}
	}
	switch {
	case len(conflict.Feeds) > 0:
		return false, conflict
	case removed == 0:
		return false, fmt.Errorf("feed/jetstream: another write to these feeds is under way: %w", why)
	}
	return false, nil
}

// look reads the last messages of the feeds. A replica that has fewer than this
// view knows of is behind, if only for a moment; if it stays so, the stream has
// lost what it had.
func (a *attempt) look(ctx context.Context) (map[string]message, error) {
	for try := 1; ; try++ {
		found, err := a.s.lastOf(ctx, a.feeds())
		if err != nil || try == maxLooks || !a.behind(found) {
			return found, err
		}
		select {
		case <-time.After(lookWait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (a *attempt) behind(found map[string]message) bool {
	for f, m := range found {
		if m.sequence < a.at[f] {
			return true
		}
	}
	return false
}
